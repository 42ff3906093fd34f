"""Kept answers, judged: whether each is right for the question that it was given for, or would have
been. Nothing of it counts for a release, as no version gave it."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.core.capture import Captured
from tidegate.core.controller import Tell
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.grading import Answered, Check
from tidegate.core.judged_hit import judged_hit, seated
from tidegate.core.units import usd_to_nanousd
from tidegate.evals.captured_cases import NoCase, case_of
from tidegate.evals.hit_metrics import HitCounts
from tidegate.evals.live_matter import Came, Counted, Loaded, told
from tidegate.evals.live_route import Asked, LiveRoute
from tidegate.evals.live_verdict import Verdict, verdict_of
from tidegate.evals.own_gateway import OwnJudge
from tidegate.stores import judged_hits
from tidegate.stores.assessments import Ungraded
from tidegate.stores.live_answers import Judged, Kept

# Both questions are the same, and the answer is bad all the same.
_WRONG: Final = 0.25
_OPTIONS: Final = {
    "rubric": [
        "ANSWER was kept from an earlier request and is now given for QUESTION. CONTEXT, where "
        "there is one, is the question that it was first given for.",
        "`right`: ANSWER is a right and complete answer to QUESTION as it stands.",
        "`other`: it answers something else. Numbers, units, names, times, places, a negation, or "
        "what is wanted are not the same in CONTEXT and QUESTION, so that what is right for one is "
        "not for the other.",
        "`wrong`: it is an answer to QUESTION, and wrong, not complete, or out of date.",
    ],
    "choices": {"right": 1.0, "wrong": _WRONG, "other": 0.0},
}
HIT_CHECK: Final = Check(
    "judge_rubric", Raw(msgspec.json.encode(_OPTIONS)), metric="right_for_the_question"
)
_TAKEN_OUT: Final = "not asked: something was taken out of the kept question"


class Hits:
    """`evals.live_matter.Matter`."""

    def __init__(self) -> None:
        self.counts: Counted = HitCounts()

    def asked_of(self, route: DeclaredRoute) -> Asked | None:
        quality = route.quality
        if quality is None or quality.hits is None or quality.judge is None:
            return None
        most = usd_to_nanousd(quality.most_usd_per_day)
        return Asked(route, quality, (HIT_CHECK,), True, most, quality.hits.per_hour)

    def before(self, connection: Connection, route: str, since_s: float) -> list[Judged]:
        return judged_hits.judged(connection, route, since_s)

    def noted(self, connection: Connection) -> Mapping[str, Ungraded]:
        return judged_hits.not_judged(connection)

    def kept_after(
        self, connection: Connection, route: str, after_id: str, limit: int
    ) -> tuple[list[Kept], str]:
        return judged_hits.kept_after(connection, route, after_id, limit)

    def is_judged(self, connection: Connection, receipt_id: str) -> bool:
        return judged_hits.is_judged(connection, receipt_id)

    def is_whole(self, made: Captured) -> bool:
        if made.is_kept_answer and made.shortened:
            raise NoCase("only its beginning is kept")
        return made.is_hit

    async def verdict_on(self, loaded: Loaded, asked: Asked, judge: OwnJudge | None) -> Verdict:
        made = loaded.made
        case, said = case_of(made, asked.checks), made.answer
        if made.kept is not None:
            if made.kept.taken_out:
                return Verdict(None, _TAKEN_OUT, asked=False)
            case = replace(case, context=(made.kept.question,))
            if made.kept.answer is not None:
                said = made.kept.answer
        return await verdict_of(case, Answered(said), judge)

    def store(self, connection: Connection, loaded: Loaded, came: Came) -> None:
        made, verdict, is_same = loaded.made, came.verdict, None
        if made.kept is not None and verdict.is_bad is not None and verdict.score is not None:
            is_same = verdict.score >= _WRONG
        one = replace(
            judged_hit(loaded.receipt, "quality", verdict.is_bad, came.at_s),
            tier=made.cache_tier or "exact",
            given=made.is_kept_answer,
            score=made.cache_score,
            veto=made.cache_veto,
            compared_by=made.compared_by,
            is_same=is_same,
            decides=came.decides,
            judge=" ".join(filter(None, verdict.judges)),
            why=verdict.why,
            cost_nanousd=came.cost_nanousd,
            kept_from=made.cache_from,
        )
        judged_hits.store(connection, [one])

    def missed(self, connection: Connection, state: LiveRoute) -> int:
        return 0  # a cache may well have nothing to give for long

    def alarmed(self, route: str) -> str:
        return seated(route)

    def note(self, connection: Connection, route: str, why: str | None, now_s: float) -> None:
        judged_hits.note_unjudged(connection, route, why, now_s)

    def tell(self, route: str, why: str | None) -> Tell:
        title = f"kept answers of {route} are not judged as declared"
        text = None if why is None else f"Why: {why}. What its cache is worth is not known."
        return told(f"quality/{route}/hits", route, title, text)
