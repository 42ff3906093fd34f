"""The story of `examples/prompt-pr`: a good version is gated and becomes stable, a worse one that
passes every check of its form is not, and neither is it released; and a gate that is killed goes on
where it was."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.e2e.prompted import commit
from tests.e2e.rig import House

from tidegate.cli import commands
from tidegate.control.shapes import KeyList
from tidegate.control.shapes_prompts import PromptList
from tidegate.control.shapes_releases import ReleaseExplained

EXAMPLE = Path(__file__).parents[2] / "examples" / "prompt-pr"
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("pr") / "shop"
    shutil.copytree(EXAMPLE, folder)
    model = subprocess.Popen(
        [sys.executable, str(folder / "model.py"), "0"], stdout=subprocess.PIPE, text=True
    )
    assert model.stdout is not None
    try:
        url = model.stdout.readline().split()[1]
        plan = (folder / "tidegate.yaml").read_text().replace("http://127.0.0.1:8191", url)
        plan = plan.replace("{repository: .}", "{repository: ., poll_s: 0.1}")
        plan += "control: {loop: {tick: 250ms, lease: 3s}}\n"
        files = [*folder.glob("prompts/*/*"), *folder.glob("evals/*")]
        commit(folder, {str(it.relative_to(folder)): it.read_text() for it in files})
        with House(folder, plan, ("--config", "tidegate.yaml")) as house:
            yield house
    finally:
        model.kill()
        model.wait()
        model.stdout.close()


def tidegate(house: House, *words: str) -> Result:
    """A command as its user gives it, in the repository."""
    environment = {"TIDEGATE_STATE": str(house.layout.state)}
    before = Path.cwd()
    os.chdir(house.folder)
    try:
        return CliRunner().invoke(commands(), list(words), env=environment)
    finally:
        os.chdir(before)


def tags(house: House) -> PromptList:
    with house.control() as control:
        return control.get("/api/prompts", PromptList)


def merged(house: House, version: str) -> None:
    commit(house.folder, {"prompts/support/tags.yaml": f"stable: {version}\n"})


def served(house: House) -> str:
    return tags(house).prompts[0].tags[0].version


def test_the_gate_decides_what_becomes_stable(house: House) -> None:
    assert tidegate(house, "prompt", "lint").exit_code == 0
    worse = tidegate(house, "gate", "support", "--candidate", "v3", "--markdown", "v3.md")
    assert worse.exit_code == 1, worse.output
    assert "surely worse" in worse.stdout
    assert "blocked" in (house.folder / "v3.md").read_text()
    refused = tidegate(house, "prompt", "tag", "support", "stable", "v3", "--reason", "nice")
    assert "no gate was passed" in refused.output
    merged(house, "v3")
    until_s = time.monotonic() + PATIENCE_S
    while not any("uncertified_pair" in it for it in tags(house).problems):
        assert time.monotonic() < until_s
        time.sleep(0.05)
    assert served(house) == "v1"

    better = tidegate(house, "gate", "support", "--candidate", "v2", "--baseline", "v1")
    assert better.exit_code == 0, better.output
    assert "certified support@v2 at clerk" in better.stdout
    merged(house, "v2")
    while served(house) != "v2":
        assert time.monotonic() < until_s
        time.sleep(0.05)


def release(house: House, name: str) -> ReleaseExplained:
    with house.control() as control:
        return control.get("/api/releases/explain", ReleaseExplained, id=name)


def until(house: House, name: str, what: Callable[[ReleaseExplained], bool]) -> ReleaseExplained:
    until_s = time.monotonic() + PATIENCE_S
    while not what(found := release(house, name)):
        assert time.monotonic() < until_s, found
        time.sleep(0.02)
    return found


def started(house: House, name: str) -> ReleaseExplained:
    """A release that was created and started, once it waits for what its version lacks."""
    made = tidegate(house, "release", "create", name)
    assert "gate certificate: support@" in made.output, made.output
    assert tidegate(house, "release", "start", name).exit_code == 0
    found = until(house, name, lambda it: bool(it.release.waits_for))
    assert (found.release.state, found.release.weight) == ("gated", 0)
    assert found.release.waits_for[0].startswith("gate certificate: support@")
    return found


def test_the_gate_decides_what_is_released(house: House) -> None:
    assert tidegate(house, "check").exit_code == 0
    found = started(house, "support/terse")
    [command] = re.findall("`tidegate (.*)`", found.release.waits_for[0])
    assert tidegate(house, *command.split()).exit_code == 1, "the command that it names blocks it"
    told = tidegate(house, "release", "gate", "support/terse", "certificate", "passed")
    assert "Nobody reports this gate" in told.output
    assert release(house, "support/terse").release.state == "gated"

    good = (house.folder / "prompts/support/v2.jinja2").read_text().replace("kindly", "gladly")
    commit(house.folder, {"prompts/support/v4.jinja2": good})
    kind = (house.folder / "releases/support/kind.yaml").read_text().replace("v2", "v4")
    (house.folder / "releases/support/glad.yaml").write_text(kind)
    started(house, "support/glad")
    better = tidegate(house, "gate", "support", "--candidate", "v4", "--baseline", "v1")
    assert better.exit_code == 0, better.output
    glad = until(house, "support/glad", lambda it: it.release.state == "step")
    assert "every gate is open" in glad.release.reason
    for name in ("glad", "terse"):
        done = tidegate(house, "release", "rollback", f"support/{name}", "--reason", "seen")
        assert done.exit_code == 0, done.output


def ended(house: House, words: tuple[str, ...], file: Path, number: int) -> int:
    """A command that gets the signal once its run has so many outcomes more; its exit status."""
    environment = {**os.environ, "TIDEGATE_STATE": str(house.layout.state)}
    # What tests run behind may ignore it, and a child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gate = subprocess.Popen(
        [sys.executable, "-m", "tidegate.boot", *words], cwd=house.folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = file.read_bytes().count(b"\n") if file.exists() else 0
    until_s = time.monotonic() + PATIENCE_S
    while not file.exists() or file.read_bytes().count(b"\n") < before + 10:
        assert gate.poll() is None and time.monotonic() < until_s
        time.sleep(0.01)
    gate.send_signal(number)
    return gate.wait()


def live_keys(house: House) -> int:
    with house.control() as control:
        found = control.get("/api/keys", KeyList, revoked="false", name_prefix="eval").keys
    return len(found)


def test_a_gate_that_is_killed_goes_on_where_it_was(house: House) -> None:
    """One that is interrupted takes its key along; one that is killed cannot."""
    file = house.folder / "killed.jsonl"
    words = ("gate", "support", "--candidate", "v2", "--baseline", "v1", "--at-once", "1",
             "--run-file", str(file), "--repeats", "8", "--no-certificate")  # fmt: skip
    assert ended(house, words, file, signal.SIGINT) == 2
    assert ended(house, words, file, signal.SIGTERM) == 2
    assert live_keys(house) == 0
    assert ended(house, words, file, signal.SIGKILL) == -signal.SIGKILL
    assert live_keys(house) == 1
    known = file.read_bytes().rpartition(b"\n")[0] + b"\n"
    file.write_bytes(known + b'{"side": "candidate", "outco')
    result = tidegate(house, *words)
    assert result.exit_code == 0, result.output
    after = file.read_bytes()
    assert after.startswith(known)
    rows = [msgspec.json.decode(line) for line in after.splitlines()[1:]]
    known_of = {(it["side"], it["outcome"]["case"], it["outcome"]["repeat"]) for it in rows}
    assert len(known_of) == 8 * 2 * 96
