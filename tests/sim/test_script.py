from pathlib import Path
from typing import get_args

import pytest

from tidegate.sim.script import (
    MAIN_PARAMETER,
    MAX_CUES,
    Cue,
    FaultName,
    Script,
    ScriptError,
    load,
    parse_line,
    read_cues,
)


def fired(script: Script, count: int, **request) -> list[bool]:
    given = {"path": "/v1/chat/completions", "model": "sim", "stream": True, **request}
    return [script.request(**given) is not None for _ in range(count)]


def test_a_line_names_a_fault_and_its_parameters():
    assert parse_line("cut after=3 every=5 how=rst") == Cue("cut", after=3, every=5, how="rst")
    assert parse_line("cut:3") == Cue("cut", after=3)
    assert parse_line("status:429 retry_after='Wed, 21 Oct 2015 07:28:00 GMT'").retry_after == (
        "Wed, 21 Oct 2015 07:28:00 GMT"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "an empty cue"),
        ("cutt", "cutt: Invalid enum value"),
        ("cut after", "'after' is not name=value"),
        ("cut afer=3", "unknown field `afer`"),
        ("cut after=x", "Expected `int"),
        ("cut every=0", "every must be at least 1"),
        ("stall:1e9", "seconds must be at least 0 and at most 3600"),
        ("crlf:1", "takes no argument"),
        ("cut 'open", "No closing quotation"),
    ],
)
def test_a_bad_line_says_what_is_wrong(line, says):
    with pytest.raises(ScriptError, match=says):
        parse_line(line)


def test_the_argument_of_each_fault_is_a_parameter_of_a_cue():
    assert set(MAIN_PARAMETER) <= set(get_args(FaultName))
    assert set(MAIN_PARAMETER.values()) <= set(Cue.__struct_fields__)


def test_a_file_holds_lines_and_mappings(tmp_path: Path):
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n- cut:3\n- fault: status\n  status: 429\n  retry_after: '2'\n")
    assert load(file) == [Cue("cut", after=3), Cue("status", status=429, retry_after="2")]
    file.write_text("faults:\n- cut:3\n- cut:x\n")
    with pytest.raises(ScriptError, match=r"faults\.yaml: cue 2: cut: "):
        load(file)
    file.write_text("faults: [")
    with pytest.raises(ScriptError, match=r"faults\.yaml"):
        load(file)
    with pytest.raises(ScriptError, match="absent"):
        load(tmp_path / "absent")


@pytest.mark.parametrize("loose", [3, {"fault": "cut"}, [3], ["cut"] * (MAX_CUES + 1)])
def test_a_document_that_is_no_script_is_refused(loose):
    with pytest.raises(ScriptError):
        read_cues(loose)


def test_a_cue_counts_the_requests_that_pass_its_filters():
    script = Script([parse_line("cut skip=1 every=2 times=2")], seed=1)
    assert fired(script, 8) == [False, False, True, False, True, False, False, False]
    assert script.fired == {"cut": 2}


def test_filters_are_by_path_model_and_stream():
    script = Script([parse_line("drop path=/embeddings model=m stream=false")], seed=1)
    assert fired(script, 1) == [False]
    assert fired(script, 1, path="/v1/embeddings", model="m") == [False]
    assert fired(script, 1, path="/v1/embeddings", stream=False) == [False]
    assert fired(script, 1, path="/v1/embeddings", model="m", stream=False) == [True]


def test_the_first_cue_that_fires_decides():
    script = Script([parse_line("cut times=1"), parse_line("drop")], seed=1)
    found = [script.request("/x", None, False) for _ in range(2)]
    assert [cue.fault for cue in found if cue] == ["cut", "drop"]


def test_chance_is_drawn_from_the_seed():
    line = parse_line("cut probability=0.3")
    one, same, other = (fired(Script([line], seed), 300) for seed in (1, 1, 2))
    assert one == same != other
    assert 60 < sum(one) < 120


def test_connections_are_refused_and_requests_are_not():
    script = Script([parse_line("refuse every=2")], seed=1)
    assert [script.connection() is not None for _ in range(3)] == [False, True, False]
    assert fired(script, 2) == [False, False]


def test_a_replaced_script_begins_anew():
    script = Script([parse_line("cut times=1")], seed=1)
    fired(script, 1)
    script.replace([parse_line("cut times=1")])
    assert fired(script, 2) == [True, False]
