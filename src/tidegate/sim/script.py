"""The script of faults: data that says what goes wrong, for which requests, and how often.

A cue is one line of the script. Cues are tried in order; the first that fires decides, and a
request suffers at most one. Each cue counts the requests that pass its filters, so a script is
reproducible: the same requests in the same order meet the same faults.
"""

import random
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml
from msgspec import Struct

MAX_CUES = 1000
MAX_SECONDS = 3600.0
MAX_SIZE = 2 * 1024**3

FaultName = Literal[
    "refuse",
    "drop",
    "stall",
    "cut",
    "malformed",
    "error",
    "usage",
    "no_done",
    "two_done",
    "after_done",
    "no_finish",
    "status",
    "ok_error",
    "slow",
    "doubled",
    "length",
    "bad_chunk",
    "gzip",
    "giant",
    "headers",
    "inject",
    "bad_header",
    "split",
    "crlf",
    "comments",
    "multiline",
]

# What the argument of `name:argument` sets.
MAIN_PARAMETER: Final = {
    "drop": "how",
    "stall": "seconds",
    "cut": "after",
    "malformed": "after",
    "error": "after",
    "usage": "usage",
    "status": "status",
    "slow": "factor",
    "doubled": "doubled",
    "length": "size",
    "bad_chunk": "after",
    "gzip": "size",
    "giant": "size",
    "headers": "size",
}


class ScriptError(ValueError):
    """A script that cannot be read. The message says which cue and what is wrong with it."""


class Cue(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault, when it fires, and how it looks. See docs/sim.md for each fault."""

    fault: FaultName
    # when: of the requests that pass the filters, skip some, then every n-th, at most `times`
    every: int = 1
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    path: str | None = None
    model: str | None = None
    stream: bool | None = None
    # how
    after: int | None = None
    seconds: float = 30.0
    how: Literal["fin", "rst"] = "fin"
    status: int = 500
    retry_after: str | None = None
    body: Literal["json", "html", "empty"] = "json"
    shape: Literal["openai", "vllm"] = "openai"
    usage: Literal["missing", "zero", "negative", "huge", "contradictory", "twice"] = "missing"
    doubled: Literal["produced", "reported"] = "produced"
    factor: float = 2.0
    size: int | None = None

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("every", self.every, 1, None),
            ("skip", self.skip, 0, None),
            ("times", self.times, 0, None),
            ("probability", self.probability, 0, 1),
            ("after", self.after, 0, None),
            ("seconds", self.seconds, 0, MAX_SECONDS),
            ("status", self.status, 400, 599),
            ("factor", self.factor, 0.001, 1000),
            ("size", self.size, -MAX_SIZE, MAX_SIZE),
        ):
            if value is not None and (value < low or (high is not None and value > high)):
                top = "" if high is None else f" and at most {high}"
                raise ValueError(f"{name} must be at least {low}{top}, not {value}")


def cue_from(values: dict[str, Any]) -> Cue:
    """A cue of loosely typed values. ScriptError."""
    try:
        return msgspec.convert(values, Cue, strict=False)
    except msgspec.ValidationError as error:
        raise ScriptError(f"{values.get('fault', 'a cue')!s}: {error}") from None


def parse_line(line: str) -> Cue:
    """`cut after=3 every=5`, or `cut:3`. ScriptError."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ScriptError(f"{line!r}: {error}") from None
    if not words:
        raise ScriptError("an empty cue; write for example: cut after=3 every=5")
    name, colon, argument = words[0].partition(":")
    values: dict[str, Any] = {"fault": name}
    if colon:
        if name not in MAIN_PARAMETER:
            raise ScriptError(f"{name}: takes no argument after a colon")
        values[MAIN_PARAMETER[name]] = argument
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or key == "fault":
            raise ScriptError(f"{name}: {word!r} is not name=value")
        values[key] = value
    return cue_from(values)


def read_cues(loose: Any) -> list[Cue]:
    """Cues of a decoded document: a list of them, or a mapping with the list under `faults`."""
    if isinstance(loose, dict) and set(loose) == {"faults"}:
        loose = loose["faults"]
    if not isinstance(loose, list):
        raise ScriptError("a script is a list of cues, or a mapping with the list under `faults`")
    if len(loose) > MAX_CUES:
        raise ScriptError(f"a script holds at most {MAX_CUES} cues, not {len(loose)}")
    cues = []
    for number, item in enumerate(loose, 1):
        if not isinstance(item, str | dict):
            raise ScriptError(f"cue {number} must be a line or a mapping")
        try:
            cues.append(parse_line(item) if isinstance(item, str) else cue_from(item))
        except ScriptError as error:
            raise ScriptError(f"cue {number}: {error}") from None
    return cues


def load(path: Path) -> list[Cue]:
    """The cues of a YAML file. ScriptError."""
    try:
        return read_cues(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError(f"{path}: {error}") from None
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from None


class Script:
    """The cues in force, with what each has seen. `fired` counts by fault since the start."""

    def __init__(self, cues: Sequence[Cue], seed: int) -> None:
        self._seed = seed
        self.fired: Counter[str] = Counter()
        self.replace(cues)

    def replace(self, cues: Sequence[Cue]) -> None:
        """Sets other cues; their counts begin anew."""
        self.cues = tuple(cues)
        self._seen = [0] * len(self.cues)
        self._times = [0] * len(self.cues)
        self._draws = [random.Random(self._seed * 1_000_003 + i) for i in range(len(self.cues))]

    def connection(self) -> Cue | None:
        """What happens to a new connection."""
        for at, cue in enumerate(self.cues):
            if cue.fault == "refuse" and self._fires(at, cue):
                return cue
        return None

    def request(self, path: str, model: str | None, stream: bool) -> Cue | None:
        """What happens to a request."""
        for at, cue in enumerate(self.cues):
            if cue.fault == "refuse" or (cue.path is not None and not path.endswith(cue.path)):
                continue
            if cue.model is not None and cue.model != model:
                continue
            if cue.stream is not None and cue.stream != stream:
                continue
            if self._fires(at, cue):
                return cue
        return None

    def _fires(self, at: int, cue: Cue) -> bool:
        self._seen[at] += 1
        turn = self._seen[at] - cue.skip
        if turn < 1 or (turn - 1) % cue.every != cue.every - 1:
            return False
        if cue.times is not None and self._times[at] >= cue.times:
            return False
        if cue.probability < 1.0 and self._draws[at].random() >= cue.probability:
            return False
        self._times[at] += 1
        self.fired[cue.fault] += 1
        return True
