"""`tidegate audit`: a tap as a process of its own, and the report of what it saw."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from click.testing import CliRunner, Result

from tidegate.cli.audit import plug

BODY = {"model": "demo", "messages": [{"role": "user", "content": "What is a tide?"}]}
AT = 1_795_000_000.0
SEEN = {
    "id": "seen-1",
    "side": "front",
    "at_s": AT,
    "path": "/v1/chat/completions",
    "end": "whole",
    "model": "m",
    "answer_id": "r-1",
    "input_tokens": 1000,
    "cache_read_tokens": 400,
    "output_tokens": 100,
}
ROW = {
    "request_id": "r-1",
    "startTime": "2026-11-18T11:06:40",
    "status": "success",
    "spend": 0.00175,
    "prompt_tokens": 1400,
    "completion_tokens": 100,
    "team_id": "t",
    "model": "gpt-4o-mini",
    "custom_llm_provider": "openai",
}


def run(*args: str) -> Result:
    return CliRunner().invoke(plug, args)


def written(folder: Path, seen: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[str]:
    for name, told in (("seen.jsonl", seen), ("logs.jsonl", rows)):
        (folder / name).write_bytes(b"".join(msgspec.json.encode(it) + b"\n" for it in told))
    return [str(folder / "seen.jsonl"), "--ledger", str(folder / "logs.jsonl")]


def test_money_is_that_of_the_model_that_was_sold_and_not_of_its_group_s_name(
    tmp_path: Path,
) -> None:
    rows = [{**ROW, "model_group": group} for group in ("gpt-4", "gpt-4o-mini")]
    reports = []
    for number, row in enumerate(rows):
        folder = tmp_path / str(number)
        folder.mkdir()
        reports.append(run("report", "--json", *written(folder, [SEEN], [row])).stdout)
    assert reports[0] == reports[1] and '"other_cost"' in reports[0]


def test_of_how_many_the_money_was_compared_is_said(tmp_path: Path) -> None:
    bare = {name: value for name, value in ROW.items() if name != "custom_llm_provider"}
    for number, (row, priced) in enumerate(((ROW, 1), (bare, 0))):
        folder = tmp_path / str(number)
        folder.mkdir()
        told = run("report", *written(folder, [SEEN], [row]))
        assert f"1 told their tokens and were compared, {priced} their money too" in told.stdout


def test_copies_of_what_a_tap_at_the_front_saw_are_not_taken_for_lost(tmp_path: Path) -> None:
    copy = {"id": "copy-1", "side": "front", "at_s": AT, "path": SEEN["path"], "end": "unseen"}
    told = run("report", *written(tmp_path, [SEEN, {**copy, "model": "m"}], [ROW]))
    assert told.exit_code == 2 and "report on one of both" in told.output


def test_the_report_says_what_is_wrong_with_how_much_of_it(tmp_path: Path) -> None:
    lost = {**SEEN, "id": "seen-2", "answer_id": "r-2", "at_s": AT + 1}
    told = run("report", *written(tmp_path, [SEEN, lost], [ROW]))
    assert told.exit_code == 1, told.output
    lines = told.stdout.splitlines()
    assert "2 requests and calls seen, 1 rows of the ledger" in lines[0]
    text = told.stdout
    assert re.search(r"1 +-1100 +- +requests that were answered and are not in the ledger", text)
    assert re.search(r"1 +400 +- +rows in which cached tokens are counted twice +r-1", text)
    assert "rows whose money is not what their tokens cost" in text


def test_nothing_wrong_is_said_too_and_exits_0(tmp_path: Path) -> None:
    # 600 at 0.15, 400 cached at 0.075 and 100 at 0.60 dollars a million tokens
    right = {**ROW, "prompt_tokens": 1000, "spend": 0.00018}
    told = run("report", *written(tmp_path, [SEEN], [right]))
    assert told.exit_code == 0, told.output
    assert "nothing is wrong with what was compared" in told.stdout


def test_a_ledger_of_another_clock_and_what_it_does_not_tell_are_said(tmp_path: Path) -> None:
    bare = {"request_id": ROW["request_id"], "startTime": str(AT + 7200)}
    told = run("report", *written(tmp_path, [SEEN], [bare]))
    assert told.exit_code == 0, told.output
    assert "does not tell, so it is not judged: money, names, status, tokens" in told.stdout
    assert "the ledger's clock is 7200 s ahead" in told.stdout


def test_the_report_as_json(tmp_path: Path) -> None:
    told = run("report", *written(tmp_path, [SEEN], []), "--json")
    report = msgspec.json.decode(told.stdout)
    assert [it["kind"] for it in report["findings"]] == ["lost"]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["report", "SEEN"], "--db"),
        (["report", "SEEN", "--ledger", "SEEN", "--db", "x"], "--db"),
        (["tap", "--into", "x"], "--to"),
        (["tap", "--into", "x", "--mirror", "--to", "http://a"], "one of both"),
        (["tap", "--into", "NEW", "--to", "ftp://a"], "http"),
        (["tap", "--into", "SEEN", "--mirror"], "there already"),
        (["tap", "--into", "NEW", "--mirror", "--listen", "nowhere:x"], "--listen"),
    ],
    ids=lambda it: it if isinstance(it, str) else None,
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, args: list[str], why: str) -> None:
    [seen, _, _] = written(tmp_path, [SEEN], [])
    names = {"SEEN": seen, "NEW": str(tmp_path / "new.jsonl")}
    told = run(*(names.get(it, it) for it in args))
    assert told.exit_code != 0 and why in told.output


def test_a_database_that_is_not_there_is_an_error_without_its_password(tmp_path: Path) -> None:
    [seen, _, _] = written(tmp_path, [SEEN], [])
    told = run("report", seen, "--db", "postgresql://ann:hush-hush@127.0.0.1:1/db")
    assert told.exit_code == 1 and "127.0.0.1:1/db" in told.output
    assert "hush-hush" not in told.output


@contextlib.contextmanager
def process(*args: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", *args]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as it:
        assert it.stdout is not None
        line = it.stdout.readline()
        ready = re.match(r"ready (http://\S+)", line)
        assert ready, line + it.stdout.read()
        try:
            yield ready[1], it
        finally:
            it.send_signal(signal.SIGTERM)
            it.wait(10)


def test_a_tap_before_a_gateway_is_not_noticed_and_says_what_it_noted(tmp_path: Path) -> None:
    into = tmp_path / "seen.jsonl"
    sim = ("tidegate.sim", "serve", "--port", "0", "--profile", "instant", "--model", "demo")
    with process(*sim) as (engine, _):
        tap = ("--to", engine, "--into", str(into), "--listen", "127.0.0.1:0")
        with process("tidegate.boot", "audit", "tap", *tap) as (url, it):
            for stream in (False, True):
                body = {**BODY, "stream": stream, "stream_options": {"include_usage": True}}
                if not stream:
                    del body["stream_options"]
                answer = httpx2.post(f"{url}/v1/chat/completions", json=body)
                assert answer.status_code == 200, answer.text
            it.send_signal(signal.SIGTERM)
            assert it.stdout is not None
            assert f"2 requests noted in {into}" in it.stdout.read()
    seen = [msgspec.json.decode(line) for line in into.read_bytes().splitlines()]
    assert [it["end"] for it in seen] == ["whole", "whole"]
    assert all(it["output_tokens"] > 0 for it in seen)
    assert b"tide?" not in into.read_bytes()
