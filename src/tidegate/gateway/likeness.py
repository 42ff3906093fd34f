"""A kept question that another one was found to be like, and its answer."""

from msgspec import Struct

from tidegate.core.kept_answer import Found


class Likeness(Struct, frozen=True, eq=False):
    """`question` is the wording that was kept, `score` the cosine of the two, and `veto` why its
    answer is not to be taken for all that. Whether it was given is told by the receipt."""

    question: str
    found: Found
    score: float
    veto: str | None = None
