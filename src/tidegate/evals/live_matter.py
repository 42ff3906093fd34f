"""What is graded in the background: live answers here, kept ones in `evals.hit_matter`. Each says
which captured requests are its, what is asked of them, and where what is found is kept."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from tidegate.core.capture import Captured
from tidegate.core.controller import Tell
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.receipt import Receipt
from tidegate.evals.captured_cases import NoCase
from tidegate.evals.live_metrics import Counts, Standing
from tidegate.evals.live_route import Asked, LiveRoute, asked_of
from tidegate.evals.live_sampling import ServedBy
from tidegate.evals.live_verdict import Verdict, assessment, verdict_on
from tidegate.evals.own_gateway import OwnJudge
from tidegate.stores import assessments, live_answers
from tidegate.stores.assessments import Ungraded
from tidegate.stores.live_answers import Judged, Kept


class Loaded(NamedTuple):
    made: Captured
    receipt: Receipt


class Came(NamedTuple):
    """What came of one, when, and at what cost; `decides`: by a judge that is calibrated, or by
    none."""

    verdict: Verdict
    at_s: float
    cost_nanousd: int | None
    decides: bool


class Counted(Protocol):
    """Since this control started."""

    def add(
        self, route: str, served_by: ServedBy, is_bad: bool | None, cost: int | None
    ) -> None: ...

    def render(self, standing: Iterable[Standing]) -> bytes: ...


class Matter(Protocol):
    """What is told of a route by `note` and `tell` is why it is not graded as it is declared."""

    counts: Counted

    def asked_of(self, route: DeclaredRoute) -> Asked | None: ...

    def before(self, connection: Connection, route: str, since_s: float) -> list[Judged]:
        """What was graded since."""

    def noted(self, connection: Connection) -> Mapping[str, Ungraded]: ...

    def kept_after(
        self, connection: Connection, route: str, after_id: str, limit: int
    ) -> tuple[list[Kept], str]:
        """As `stores.live_answers.kept_after`; of `Kept.arm` and of any other as many are drawn."""

    def is_judged(self, connection: Connection, receipt_id: str) -> bool: ...

    def is_whole(self, made: Captured) -> bool:
        """Whether it may be graded. NoCase where only what is kept of it is too little."""

    async def verdict_on(self, loaded: Loaded, asked: Asked, judge: OwnJudge | None) -> Verdict:
        """NoCase, MoneySpent."""

    def store(self, connection: Connection, loaded: Loaded, came: Came) -> None: ...

    def missed(self, connection: Connection, state: LiveRoute) -> int:
        """How many that were to be captured are not there."""

    def alarmed(self, route: str) -> str:
        """By which name an alarm about its judge is noted."""

    def note(self, connection: Connection, route: str, why: str | None, now_s: float) -> None: ...

    def tell(self, route: str, why: str | None) -> Tell: ...


class Answers:
    """Live answers, by `quality.checks`."""

    def __init__(self) -> None:
        self.counts: Counted = Counts()

    def asked_of(self, route: DeclaredRoute) -> Asked | None:
        return asked_of(route)

    def before(self, connection: Connection, route: str, since_s: float) -> list[Judged]:
        return live_answers.judged(connection, route, since_s)

    def noted(self, connection: Connection) -> Mapping[str, Ungraded]:
        return assessments.not_graded(connection)

    def kept_after(
        self, connection: Connection, route: str, after_id: str, limit: int
    ) -> tuple[list[Kept], str]:
        return live_answers.kept_after(connection, route, after_id, limit)

    def is_judged(self, connection: Connection, receipt_id: str) -> bool:
        return live_answers.is_judged(connection, receipt_id)

    def is_whole(self, made: Captured) -> bool:
        if made.shortened and not made.cut:
            raise NoCase("only its beginning is kept")
        return not made.cut

    async def verdict_on(self, loaded: Loaded, asked: Asked, judge: OwnJudge | None) -> Verdict:
        return await verdict_on(*loaded, asked.checks, judge)

    def store(self, connection: Connection, loaded: Loaded, came: Came) -> None:
        one = assessment(
            loaded.receipt, came.verdict, came.at_s, came.cost_nanousd, decides=came.decides
        )
        assessments.store(connection, [one])

    def missed(self, connection: Connection, state: LiveRoute) -> int:
        answered = live_answers.answered_since(connection, state.name, state.last_kept_s)
        which = state.may_be_missed(answered)
        return live_answers.to_be_captured(connection, state.name, *which) if which else 0

    def alarmed(self, route: str) -> str:
        return route

    def note(self, connection: Connection, route: str, why: str | None, now_s: float) -> None:
        assessments.note_ungraded(connection, route, why, now_s)

    def tell(self, route: str, why: str | None) -> Tell:
        title = f"live answers of {route} are not graded as declared"
        if why is None:
            return told(f"quality/{route}", route, title, None)
        text = f"Why: {why}. Releases that are guarded by `quality` wait."
        return told(f"quality/{route}", route, title, text)


def told(key: str, route: str, title: str, text: str | None) -> Tell:
    """What people are told; None: that it is over."""
    fields: dict[str, Any] = {
        "topic": "quality",
        "key": key,
        "severity": "ticket",
        "title": title,
        "route": route,
    }
    if text is None:
        return Tell(text="They are graded.", resolved=True, **fields)
    return Tell(text=text, **fields)
