"""The child that serves the small real model: ready line, loopback, the end with its parent."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tidegate.boot import local_model
from tidegate.core import plugs
from tidegate.core.engine_signals import Found
from tidegate.core.signal import NoData
from tidegate.record.engine_pages import Page, fetch

pytestmark = pytest.mark.engine


class Child(NamedTuple):
    process: subprocess.Popen[str]
    address: str
    parent_end: int


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        local_model.command(0, read_end),
        pass_fds=(read_end,),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    os.close(read_end)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(local_model.READY), line
    yield Child(process, line.removeprefix(local_model.READY).strip(), write_end)
    os.close(write_end)
    assert process.wait(timeout=30) == 0
    process.stdout.close()


def test_it_answers_a_chat_and_counts_tokens(child: Child) -> None:
    body = {
        "model": "smollm2-135m",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 8,
    }
    request = urllib.request.Request(
        f"{child.address}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    assert answer["model"] == "smollm2-135m"
    assert answer["choices"][0]["message"]["content"]
    assert 1 <= answer["usage"]["completion_tokens"] <= 8


def test_every_slot_sees_the_context_that_the_plan_declares(child: Child) -> None:
    with urllib.request.urlopen(f"{child.address}/slots", timeout=30) as response:
        slots = json.load(response)
    assert [slot["n_ctx"] for slot in slots] == [8192] * 4


def test_what_it_says_of_itself_is_read(child: Child) -> None:
    page = fetch(Page("llama_cpp", f"{child.address}/metrics"))
    signals = plugs.load("engines", "llama_cpp").read(page).signals
    assert signals["engine_running"] == Found("llamacpp:requests_processing", {"": 0.0})
    assert isinstance(signals["engine_prefix_hits"], Found)
    assert signals["engine_kv_cache_usage"] == NoData("missing")


def test_it_listens_on_loopback_only(child: Child) -> None:
    assert child.address.startswith("http://127.0.0.1:")


def test_a_port_in_use_ends_it_with_one_line() -> None:
    read_end, write_end = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            local_model.command(port, read_end),
            pass_fds=(read_end,),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    os.close(read_end)
    os.close(write_end)
    assert ended.returncode == 1
    # Among what the library's own threads say, who may be in the middle of a line.
    assert f"the local model does not start on port {port}" in ended.stderr, ended.stderr
    assert ended.stdout == ""


def test_it_ends_when_its_parent_is_killed() -> None:
    """Both hold the error pipe: it ends only when the killed parent's engine is gone too."""
    script = (
        "import os, subprocess, sys\n"
        "from tidegate.boot import local_model\n"
        "r, w = os.pipe()\n"
        "child = subprocess.Popen(local_model.command(0, r), pass_fds=(r,),\n"
        "    stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    address = parent.stdout.readline().removeprefix(local_model.READY).strip()
    parent.kill()
    parent.communicate(timeout=30)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) != 0
