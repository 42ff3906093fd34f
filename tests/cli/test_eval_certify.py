"""Certificates are asked for of each model that answered every case."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.cli.conftest import FakeControl
from tests.cli.test_eval_told import done
from tests.evals.asked import prompt
from tests.evals.runs import pair, same

from tidegate.cli._client import Control
from tidegate.cli._eval_certify import certify
from tidegate.cli._eval_run import Done
from tidegate.evals.suite import Suite

ISSUED: dict[str, Any] = {
    "id": "c1", "prompt": "support", "version": "v2", "digest": "d", "model": "m", "suite": "s",
    "suite_digest": "d", "cases": 1, "findings": [], "author": "a", "issued_at_s": 1.0,
    "expires_at_s": 2.0,
}  # fmt: skip


def answered(*models: tuple[str, str | None]) -> Done:
    """Every case by each model and snapshot in turn of repeats."""
    after = [{"model": model, "model_snapshot": served} for model, served in models]
    made = []
    for one in same(100):
        sides = tuple(
            replace(one.candidate[0], repeat=n, answered=replace(one.candidate[0].answered, **it))
            for n, it in enumerate(after)
        )
        case = replace(one.case, variables={"fact": Raw(b'"all"'), "question": _json(one.case.id)})
        made.append(replace(one, case=case, candidate=sides))
    suite = Suite("facts", tuple(it.case for it in made))
    return replace(done("warn"), pairs=made, suite=suite, judges=("a" * 64,))


def _json(text: str) -> Raw:
    return Raw(msgspec.json.encode(text))


def certified(control: FakeControl, what: Done) -> list[dict[str, Any]]:
    control.answers["POST /api/certificates"] = ISSUED
    with Control(Path(control.layout.state), "http://127.0.0.1:4999") as house:
        count = certify(house, what, prompt("v2"), 60.0)
    bodies = [msgspec.json.decode(it.content) for it in control.asked]
    assert len(bodies) == count
    return bodies


def test_what_was_served_is_in_it_and_so_is_every_finding(control: FakeControl) -> None:
    [body] = certified(control, answered(("m", "m-2026")))
    assert (body["model"], body["snapshot"], body["run"]) == ("m", "m-2026", "run-1")
    assert (body["prompt"], body["version"], body["cases"]) == ("support", "v2", 100)
    assert body["judge_digest"] == "a" * 64
    assert {"check": "extra", "verdict": "warn", "why": "so it is"} in body["findings"]
    assert (body["for_s"], body["baseline"]) == (60.0, "v1")


def test_cases_that_ask_the_same_count_once_and_a_version_alone_has_no_baseline(
    control: FakeControl,
) -> None:
    found = answered(("m", None))
    twice = (*found.suite.cases, replace(found.suite.cases[0], id="again"))
    pairs = [replace(it, baseline=()) for it in found.pairs]
    pairs.append(replace(pairs[0], case=twice[-1]))
    [body] = certified(control, replace(found, suite=Suite("facts", twice), pairs=pairs))
    assert body["cases"] == 100
    assert "baseline" not in body


def test_each_model_has_its_own(control: FakeControl) -> None:
    bodies = certified(control, answered(("m", "m-1"), ("n", None)))
    assert [(it["model"], it.get("snapshot")) for it in bodies] == [("m", "m-1"), ("n", None)]


def test_a_model_gets_none_for_what_others_have_passed(
    control: FakeControl, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(("m", None), ("m", None), ("n", None))
    first = found.pairs[0]
    sides = (*first.candidate[:2], replace(first.candidate[2], verdict="fail"))
    mixed = replace(found, pairs=[replace(first, candidate=sides), *found.pairs[1:]])
    assert [it["model"] for it in certified(control, mixed)] == ["m"]
    told = "no certificate for n: by its own answers it fails what another model passes: same-0"
    assert told in capsys.readouterr().err


def test_what_nobody_can_vouch_for_gets_none(
    control: FakeControl, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not certified(control, answered(("m", "m-1"), ("m", "m-2")))
    assert "it answered as several: m-1, m-2" in capsys.readouterr().err
    assert not certified(control, done())
    assert "no receipt says which model" in capsys.readouterr().err
    partly = [pair("x", [True], [True], after={"model": "m"}), *same(3)]
    assert not certified(control, replace(done(), pairs=partly))
    assert "cases were answered by another model only" in capsys.readouterr().err
