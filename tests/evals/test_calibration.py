"""Judges made up with known faults, and real ones, held against people."""

import json
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tidegate.evals.anchors import Anchor, Label
from tidegate.evals.calibration import (
    Said,
    beside,
    calibrate,
    digest_of,
    may_decide,
    read_calibration,
    written,
)
from tidegate.stats.agreement import Estimate

REAL = Path(__file__).parents[3] / "shared/evals/judge_calibration"
NAMES: dict[object, Label] = {1: "first", 2: "second", 0: "tie", "1": "first", "2": "second"}
NAMES["Tie"] = "tie"


def anchor(number: int, *labels: Label, answer: str = "x" * 50) -> Anchor:
    against = "y" * 50 if isinstance(labels[0], str) else None
    return Anchor(f"a{number}", answer, labels, against)


def judge(right: float, count: int = 300, seed: int = 1) -> list[Said]:
    """One that says what people say so often; people are always of one mind."""
    draw, said = Random(seed), []
    for number in range(count):
        people = draw.random() < 0.5
        label = people if draw.random() < right else not people
        said.append(Said(anchor(number, people, people), (label, label)))
    return said


def test_a_judge_that_agrees_may_decide_and_one_that_does_not_may_not() -> None:
    good, bad = calibrate("a" * 64, "m", judge(0.95)), calibrate("b" * 64, "m", judge(0.7))
    assert good.may_decide and not good.alarms
    assert good.kappa.value == pytest.approx(0.9, abs=0.06)
    assert good.kappa.low is not None and good.kappa.low < 0.9 < (good.kappa.high or 0)
    assert not bad.may_decide
    assert bad.alarms[0].startswith("kappa 0.")
    assert may_decide(read_calibration(written(good)))
    assert not may_decide(read_calibration(written(bad)))


def test_a_judge_as_good_as_people_may_decide_where_people_differ() -> None:
    draw, said = Random(2), []
    for number in range(400):
        truth = draw.random() < 0.5
        first, second, third = ((draw.random() < 0.85) == truth for _ in range(3))
        said.append(Said(anchor(number, first, second), (third, third)))
    found = calibrate("a" * 64, "m", said)
    assert found.ceiling.value is not None and found.ceiling.value < 0.6
    assert found.may_decide


def test_few_anchors_of_two_raters_make_no_ceiling() -> None:
    """Two people who never agree on three anchors would let any judge decide."""
    said = judge(0.75)
    once = [replace(it, anchor=replace(it.anchor, labels=it.anchor.labels[:1])) for it in said[49:]]
    apart = [
        replace(it, anchor=replace(it.anchor, labels=(it.anchor.labels[0], n % 2 == 0)))
        for n, it in enumerate(said[:49])
    ]
    found = calibrate("a" * 64, "m", [*apart, *once])
    assert (found.twice, found.may_decide) == (49, False)
    assert "of 49 anchors two people have spoken: 50 make a ceiling" in found.alarms
    boasting = replace(found, may_decide=True)
    assert not may_decide(read_calibration(written(boasting)))


def test_strata_are_told_apart_and_one_that_it_misjudges_is_named() -> None:
    said = []
    for n, it in enumerate([*judge(0.98), *judge(0.5, count=60, seed=5)]):
        kind = {"topic": "easy" if n < 300 else "odd"}
        said.append(replace(it, anchor=replace(it.anchor, id=f"b{n}", strata=kind)))
    found = calibrate("a" * 64, "m", said)
    assert found.may_decide
    assert [(it.name, it.anchors) for it in found.strata] == [
        ("topic=easy", 300),
        ("topic=odd", 60),
    ]
    assert any(it.startswith("of topic=odd it agrees less") for it in found.alarms)
    assert read_calibration(written(found)) == found


def test_one_that_likes_lists_is_told() -> None:
    draw, said = Random(6), []
    for number in range(400):
        people: Label = draw.choice(("first", "second"))
        items = draw.randint(0, 9)
        answer = "- **x** y\n" * items + "x" * 10 * (9 - items)
        right = draw.random() < 0.6
        verdict: Label = people if right else "first" if items > 4 else "second"
        said.append(Said(anchor(number, people, answer=answer), (verdict,)))
    found = calibrate("a", "m", said)
    assert "it prefers answers with more Markdown" in found.alarms
    assert found.markdown_shift is not None and found.markdown_shift > 0.05


def test_a_later_judge_is_bridged_to_the_one_before() -> None:
    old = calibrate("a" * 64, "m", judge(0.95))
    new = beside(calibrate("b" * 64, "n", judge(0.95, seed=1)), old)
    assert new.bridge is not None
    assert (new.bridge.before, new.bridge.anchors, new.bridge.factor) == ("a" * 64, 300, 1.0)
    assert read_calibration(written(new)) == new


def test_few_anchors_and_missing_verdicts_let_nobody_decide() -> None:
    few = calibrate("a" * 64, "m", judge(1.0, count=199))
    assert few.alarms == ("199 anchors are too few: 200 are asked for",)
    said = judge(1.0)
    said[:20] = [Said(it.anchor, (None, True)) for it in said[:20]]
    silent = calibrate("a" * 64, "m", said)
    assert (silent.errors, silent.may_decide) == (20, False)
    nobody = calibrate("a" * 64, "m", [Said(it.anchor, (None,)) for it in said])
    assert (nobody.kappa.value, nobody.may_decide) == (None, False)


def test_a_written_file_is_judged_anew() -> None:
    bad = calibrate("b" * 64, "m", judge(0.7))
    assert not may_decide(read_calibration(written(replace(bad, may_decide=True))))
    boasting = replace(bad, may_decide=True, kappa=Estimate(None, None, None))
    assert not may_decide(read_calibration(written(boasting)))
    with pytest.raises(ValueError, match="no calibration"):
        read_calibration(b"{}")
    with pytest.raises(ValueError, match="form"):
        read_calibration(written(replace(bad, form="x")))


def test_one_that_says_otherwise_when_it_is_asked_again_is_told() -> None:
    said = [replace(it, labels=(it.labels[0], n % 4 == 0)) for n, it in enumerate(judge(1.0))]
    expected = sum(it.labels[0] != it.labels[1] for it in said) / len(said)
    assert calibrate("a", "m", said).flips == pytest.approx(expected)


def test_one_that_likes_what_comes_first_and_what_is_long_is_told() -> None:
    draw, said = Random(3), []
    for number in range(400):
        people: Label = draw.choice(("first", "second"))
        answer = "x" * draw.randint(10, 200)
        right = draw.random() < 0.6
        verdict: Label = people if right else "first" if len(answer) > 100 else "second"
        shown = (draw.random() < 0.7, draw.random() < 0.7)
        said.append(Said(anchor(number, people, answer=answer), (verdict,), shown))
    found = calibrate("a", "m", said)
    assert "it prefers what is shown first" in found.alarms
    assert "it prefers longer answers" in found.alarms
    assert found.first_share is not None and found.first_share[0] == pytest.approx(0.7, abs=0.05)


def test_anchors_in_any_order_are_the_same() -> None:
    both = [anchor(1, True), anchor(2, False)]
    assert digest_of(both) == digest_of(both[::-1]) != digest_of(both[:1])


@pytest.mark.evals
def test_real_judges_on_real_anchors() -> None:
    """PandaLM's are far below their people; of these two only GPT-4 is fair to both places."""
    rows = [json.loads(it) for it in (REAL / "pandalm_test.jsonl").read_text().splitlines()]
    for column, kappa in (("judge_gpt35", 0.49), ("judge_pandalm7b", 0.44)):
        said = []
        for row in rows:
            people = tuple(NAMES[row[f"annotator{n}"]] for n in (1, 2, 3))
            known = NAMES.get(row[column])
            one = Anchor(str(row["idx"]), str(row["response1"]), people, str(row["response2"]))
            said.append(Said(one, (known,)))
        found = calibrate("a", column, said)
        assert found.kappa.value == pytest.approx(kappa, abs=0.05)
        assert found.ceiling.value == pytest.approx(0.86, abs=0.03)
        assert not found.may_decide
        print(f"{column}: kappa {found.kappa}, people {found.ceiling}, alarms {found.alarms}")
    pairs = {}
    for line in (REAL / "llmbar_pairs.jsonl").read_text().splitlines():
        row = json.loads(line)
        pairs[row["id"]] = row
    verdicts = [json.loads(it) for it in (REAL / "llmbar_verdicts.jsonl").read_text().splitlines()]
    for name, first in (("GPT-4", False), ("ChatGPT", True)):
        said = []
        for row in verdicts:
            if (row["judge"], row["prompt"]) != (name, "Vanilla"):
                continue
            pair, one, two = pairs[row["id"]], row["winner"], row["winner_swapped"]
            shown = [(one == "1")] * (one in ("1", "2")) + [(two == "2")] * (two in ("1", "2"))
            label = NAMES.get(one, "tie") if one == two else "tie"
            asked = Anchor(row["id"], pair["output_1"], (NAMES[row["label"]],), pair["output_2"])
            said.append(Said(asked, (label,), tuple(shown)))
        found = calibrate("a", name, said)
        assert ("it prefers what is shown first" in found.alarms) is first
        print(f"{name}: kappa {found.kappa}, first {found.first_share}, "
              f"length {found.length_shift}, alarms {found.alarms}")  # fmt: skip
