"""again: what a kept answer says, for whoever captures the request that had it, or nearly had."""

from collections.abc import Callable

from msgspec import Struct

from tidegate.core.ask import Ask, Said
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.plugs import Provider
from tidegate.core.spoken import answer_of
from tidegate.gateway.heard import Heard
from tidegate.gateway.replay import spoken_of


class Again(Struct, frozen=True, eq=False):
    """A kept answer that is not read yet, for a question in the wire of `ask`. `clean` has it as
    the guardrails of its route do."""

    ask: Ask
    answer: KeptAnswer
    provider: Provider
    clean: Callable[[Said], Said] | None = None

    def heard(self, most_chars: int) -> Heard | None:
        """What its caller reads of it; None where it is no answer."""
        kept = self.answer
        spoken = spoken_of(self.ask, kept.body, self.provider, streamed=kept.streamed)
        said = () if spoken is None else answer_of(spoken).said
        if not said:
            return None
        found = Heard(most_chars)
        found.take(said[0] if self.clean is None else self.clean(said[0]))
        return found


class Beside(Struct, frozen=True, eq=False):
    """A kept question that was found by another one, and what speaks for and against taking its
    answer for that one's (`gateway.likeness`). `compared_by` says what compared the two;
    `answer` is there where its caller had another."""

    question: str
    score: float
    kept_from: str
    compared_by: str
    veto: str | None = None
    answer: Again | None = None
