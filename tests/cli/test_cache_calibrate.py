"""`tidegate cache calibrate` and `thresholds`: what pairs bear out, what is shown beside it, and
what is sent to control."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.core.test_learnt import LEARNT
from tests.evals.test_question_pairs import Letters

from tidegate.cli import _cache_calibrate
from tidegate.control.shapes_thresholds import ThresholdPage, ThresholdSet, ThresholdView
from tidegate.core.encoding import EncoderUnavailable, Vector
from tidegate.text.veto import VERSION

Run = Callable[..., Result]
VIEW = ThresholdView("chat", "shadow", "letters", 0.95, None, False)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache_calibrate, "open_encoder", lambda name: Letters())


def pairs(folder: Path, same: int, other: int = 0) -> str:
    """Of the same score."""
    rows = [
        {"text_a": f"is x{chr(97 + n % 26)}{chr(97 + n // 26)} red", "label": n < same}
        for n in range(same + other)
    ]
    file = folder / "pairs.jsonl"
    lines = (msgspec.json.encode({**it, "text_b": f"{it['text_a']}?"}) for it in rows)
    file.write_bytes(b"\n".join(lines))
    return str(file)


def test_what_is_borne_out_is_shown_beside_what_is_common(
    control: FakeControl, run: Run, tmp_path: Path
) -> None:
    control.answers["GET /api/cache/thresholds"] = ThresholdPage([VIEW])
    shown = run("cache", "calibrate", "chat", "--pairs", pairs(tmp_path, 80))
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.output.splitlines()]
    assert ["learnt,", "with", "veto", "1.0000", "80", "80", "1.000", "0.963", "1.000"] in rows
    assert [it[:3] for it in rows if it[:1] == ["fixed,"]] == [
        *(["fixed,", "with", "veto"], ["fixed,", "without", "0.9200"]),
        *(["fixed,", "with", "veto"], ["fixed,", "without", "0.9500"]),
    ]
    assert "Nothing was changed" in shown.output
    assert [it.method for it in control.asked] == ["GET"]


def test_what_is_applied_carries_what_bears_it_out(
    control: FakeControl, run: Run, tmp_path: Path
) -> None:
    control.answers["GET /api/cache/thresholds"] = ThresholdPage([VIEW])
    now = ThresholdView("chat", "shadow", "letters", 0.95, 1.0, False, LEARNT)
    control.answers["POST /api/cache/thresholds/chat"] = ThresholdSet(now, ["gateway-1"])
    file = pairs(tmp_path, 80)
    shown = run("cache", "calibrate", "chat", "--pairs", file, "--apply", "--reason", "new")
    assert shown.exit_code == 0, shown.output
    assert control.bodies()[-1] == {
        "threshold": 1.0,
        "target": 0.95,
        "encoder": "letters",
        "encoder_version": "letters-1",
        "veto_version": VERSION,
        "pairs": 80,
        "taken": 80,
        "same": 80,
        "all_same": 80,
        "source": "pairs.jsonl",
        "reason": "new",
    }
    assert "only noted" in shown.output
    assert "Not obeyed yet by: gateway-1" in shown.output


def test_one_half_is_shown_what_the_other_has_learnt(
    control: FakeControl, run: Run, tmp_path: Path
) -> None:
    file = pairs(tmp_path, 200)
    asked = ("cache", "calibrate", "chat", "--pairs", file, "--encoder", "x", "--target", "0.9")
    shown = run(*asked, "--halves")
    assert shown.exit_code == 0, shown.output
    before, behind = shown.output.split("The other half:")
    [ours] = [line.split() for line in before.splitlines() if line.startswith("learnt")]
    [theirs] = [line.split() for line in behind.splitlines() if line.startswith("learnt")]
    assert int(ours[4]) + int(theirs[4]) == 200


@pytest.mark.parametrize(
    ("same", "other", "said"),
    [(20, 0, "20 pairs pass the veto; 59 have to"), (80, 40, "80 are the same: 0.589")],
    ids=["few", "wrong"],
)
def test_where_nothing_is_borne_out_it_stays_off(
    control: FakeControl, run: Run, tmp_path: Path, same: int, other: int, said: str
) -> None:
    file = pairs(tmp_path, same, other)
    asked = ("cache", "calibrate", "chat", "--pairs", file, "--encoder", "x", "--target", "0.95")
    shown = run(*asked)
    assert shown.exit_code == 1
    assert "The tier stays off" in shown.output
    assert said in shown.output
    assert control.asked == []


def test_what_is_wrong_is_one_line(
    control: FakeControl, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.answers["GET /api/cache/thresholds"] = ThresholdPage([VIEW])
    file = pairs(tmp_path, 1)
    assert "no `cache.semantic`" in run("cache", "calibrate", "talk", "--pairs", file).output
    missing = str(tmp_path / "none.jsonl")
    assert "cannot be read" in run("cache", "calibrate", "chat", "--pairs", missing).output

    def broken(name: str) -> None:
        raise EncoderUnavailable("pip install 'tidegate[semantic]'")

    monkeypatch.setattr(_cache_calibrate, "open_encoder", broken)
    shown = run("cache", "calibrate", "chat", "--pairs", file)
    assert shown.exit_code == 1
    assert "Error: pip install 'tidegate[semantic]'" in shown.output

    class Breaks(Letters):
        def encode(self, texts: Sequence[str]) -> list[Vector | None]:
            raise EncoderUnavailable("a vector came out that is not of numbers")

    monkeypatch.setattr(_cache_calibrate, "open_encoder", lambda name: Breaks())
    assert "not of numbers" in run("cache", "calibrate", "chat", "--pairs", file).output


def test_every_tier_says_what_it_is_from_or_why_it_is_off(control: FakeControl, run: Run) -> None:
    old = msgspec.structs.replace(LEARNT, veto_version="0")
    views = [
        ThresholdView("a", "on", "minilm", 0.95, 0.94, False, LEARNT),
        ThresholdView("b", "on", "minilm", 0.95, None, False),
        ThresholdView("c", "on", "minilm", 0.99, None, False, LEARNT, "it was learnt for 0.95"),
        ThresholdView("d", "on", "minilm", 0.95, 0.8, True),
        ThresholdView("e", "on", "minilm", 0.95, 0.94, False, old),
    ]
    control.answers["GET /api/cache/thresholds"] = ThresholdPage(views)
    lines = run("cache", "thresholds").output.splitlines()[1:]
    wanted = ["0.94  124 of 126", "off   nothing was learnt", "off   it was learnt for 0.95"]
    wanted += ["0.8   written in the plan file, by no pairs", "off   it was learnt with veto 0"]
    for line, said in zip(lines, wanted, strict=True):
        assert " ".join(said.split()) in " ".join(line.split())
    control.answers["GET /api/cache/thresholds"] = ThresholdPage([])
    assert "no route has" in run("cache", "thresholds").output


def test_a_threshold_is_forgotten_with_a_reason(control: FakeControl, run: Run) -> None:
    control.answers["POST /api/cache/thresholds/chat/forget"] = ThresholdSet(VIEW, [])
    assert run("cache", "thresholds", "--forget", "chat").exit_code == 2
    shown = run("cache", "thresholds", "--forget", "chat", "--reason", "no good")
    assert "chat: off" in shown.output
    assert control.bodies() == [{"reason": "no good"}]
