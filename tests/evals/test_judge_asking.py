"""One question to a judge: answered, without a verdict, or not answered at all."""

import asyncio

import pytest
from tests.evals.judge_room import KIND, Sitting
from tests.evals.online_room import declared

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.evals.anchors import Anchor
from tidegate.evals.asking import REJECTED, MoneySpent
from tidegate.evals.judge_asking import Verdict, ask_once
from tidegate.evals.judge_seats import seats_of

ANCHOR = Anchor("a", "answer 2", (True,))
[SEAT] = seats_of(declared({"chat": DeclaredQuality(KIND, "referee", anchors="a.jsonl")}))


def asked(sitting: Sitting) -> Verdict:
    return asyncio.run(ask_once(sitting, SEAT, ANCHOR, 1))


def test_what_it_says_is_of_the_model_that_answered() -> None:
    assert asked(Sitting()) == Verdict(ANCHOR, 1, None, "m-1", True, 1.0)


def test_no_verdict_is_none_and_no_answer_says_why() -> None:
    sitting = Sitting()
    sitting.mute = {2}
    assert asked(sitting) == Verdict(ANCHOR, 1, None, "m-1")
    sitting.away = "no_target: what was said"
    assert asked(sitting) == Verdict(ANCHOR, 1, "no_target")
    sitting.away = f"{REJECTED}: not that"
    assert asked(sitting) == Verdict(ANCHOR, 1)


def test_an_answer_that_names_no_model_is_nobody_s() -> None:
    sitting = Sitting()
    sitting.model = ""
    unnamed = asked(sitting)
    assert unnamed.away == "its answers do not name one model"


def test_spent_money_is_said() -> None:
    sitting = Sitting()
    sitting.money = 0
    with pytest.raises(MoneySpent):
        asked(sitting)
