"""Kept answers over the control API."""

from msgspec import Struct

from tidegate.core.cache_labels import Selector


class AnswersGone(Struct, frozen=True):
    """What may be given no more. So many gateways of this machine obey that already; `waiting_for`
    names those, of any machine, that do not yet, or may not. `unknown` says what was named and
    stands in no plan now: answers of it may be kept all the same."""

    id: str
    invalidated: Selector
    gateways: int
    waiting_for: list[str] = []
    unknown: list[str] = []
