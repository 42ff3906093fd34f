"""CPU of a gate's statistics over 100,000 cases of three repeats on each side: every check that a
run of both sides is judged by, without reading its file."""

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from tidegate.core.grading import Answered, Case, Verdict
from tidegate.evals.gate import judge
from tidegate.evals.gate_alone import judge_alone
from tidegate.evals.outcome import Outcome, Paired

BAR_S: Final = 2.0
CASES, REPEATS, ROUNDS = 100_000, 3, 3
_SEED: Final = 20261


def run() -> int:
    """Prints what each took; 1 when a gate of both sides is over the bar."""
    pairs = list(_pairs())
    both_s = min(_took_s(judge, pairs) for _ in range(ROUNDS))
    alone_s = min(_took_s(judge_alone, pairs) for _ in range(ROUNDS))
    print(f"{CASES:,} cases x {REPEATS} on both sides judged: {both_s:.2f} s of CPU")
    print(f"the candidate's alone: {alone_s:.2f} s of CPU")
    return int(both_s > BAR_S)


def _took_s(judged: Callable[[list[Paired]], object], pairs: list[Paired]) -> float:
    started_s = time.process_time()
    judged(pairs)
    return time.process_time() - started_s


def _pairs() -> Iterator[Paired]:
    """One case in ten fails at random; some must pass, some are to be refused, one in three is
    answered in other words each time."""
    chance = Random(_SEED)
    for number in range(CASES):
        kind = ("safe", "unsafe", "")[number % 3]
        strata = {"topic": f"t{number % 20}", **({"refusal": kind} if kind else {})}
        case = Case(f"case-{number}", strata=strata, must_pass=number % 50 == 0)
        yield Paired(case, _side(case, chance), _side(case, chance))


def _side(case: Case, chance: Random) -> tuple[Outcome, ...]:
    found = []
    for repeat in range(REPEATS):
        verdict: Verdict = "pass" if case.must_pass or chance.random() > 0.1 else "fail"
        answered = Answered(
            "an answer",
            refusal="full" if case.strata.get("refusal") == "unsafe" else "none",
            input_tokens=100,
            output_tokens=chance.randrange(30, 90),
            ttft_s=chance.uniform(0.1, 0.4),
            total_s=chance.uniform(0.5, 2.0),
            cost_nanousd=chance.randrange(900, 1100),
        )
        score = float(verdict == "pass")
        found.append(Outcome(case.id, repeat, verdict, answered, (), score))
    return tuple(found)
