"""What is to be put right in a version before anybody relies on it."""

import unicodedata
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from tidegate.config.load import mark_of
from tidegate.config.problem import Mark, Path, Problem
from tidegate.core.prompt import Prompt
from tidegate.core.units import format_usd
from tidegate.core.words import quoted
from tidegate.prompts.counting import counter_of
from tidegate.prompts.index import Index
from tidegate.prompts.prefix import prefix_of
from tidegate.prompts.read import VersionFile
from tidegate.prompts.registry import Read, read_prompt
from tidegate.prompts.render import Renderer
from tidegate.prompts.source import Source, SourceError
from tidegate.text.redact import redact

_START: Final = Mark(1, 1)

Level = Literal["error", "warning"]


class Finding(Struct, frozen=True):
    """An `error` keeps the version from being certified; a `warning` does not."""

    level: Level
    problem: Problem

    def __str__(self) -> str:
        return f"{self.level}: {self.problem}"


class Prices(Struct, frozen=True):
    """Dollars a million tokens of input, and of input that the provider has kept."""

    in_usd_per_mtok: float
    cached_usd_per_mtok: float


class Asked(Struct, frozen=True):
    """How to look at a version. `knows`: whether a model is known here; `price_of` what it costs.
    `tokenizer`: the one to count by, in place of that of the version's models."""

    knows: Callable[[str], bool]
    price_of: Callable[[str], Prices | None]
    tokenizer: str | None = None


def lint_version(
    source: Source, index: Index, name: str, version: str, asked: Asked | None
) -> tuple[Finding, ...]:
    """What is wrong with one version. Without `asked` nothing is said of models and prefixes.
    SourceError where there is no such version."""
    read = read_prompt(source, index, name, version)
    found = [Finding("error", it) for it in read.problems]
    text = source.file(index.prompts[name].versions[version], read.file.file)
    found += _secrets(text, read.file.file)
    if read.held is not None:
        found += _unused(read.held.prompt, read.file)
        found += _forms(read)
        if asked is not None:
            found += _models(read.held.prompt, read.file, asked.knows)
            found += _prefix(read.held.prompt, read.file, asked)
    return tuple(found)


def lint_partials(source: Source, index: Index) -> tuple[Finding, ...]:
    """Secrets in partials; what else is wrong with one is told where it is included."""
    found: list[Finding] = []
    for listed in index.partials.values():
        for version, id in listed.versions.items():
            path = f"_partials/{listed.name}/{version}"
            try:
                found += _secrets(source.file(id, path), path)
            except SourceError as error:
                found.append(_finding("error", path, _START, str(error)))
    return tuple(found)


def _finding(level: Level, file: str, mark: Mark, message: str, path: Path = ()) -> Finding:
    return Finding(level, Problem(file, mark, path, message))


def _secrets(data: bytes, file: str) -> list[Finding]:
    """Whatever looks like a credential. It is not repeated."""
    found = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        if redact(line) != line:
            what = "this line holds what looks like a secret: take it out, and make it void"
            found.append(_finding("error", file, Mark(number, 1), what))
    return found


def _unused(prompt: Prompt, file: VersionFile) -> list[Finding]:
    used = Renderer(prompt).used
    return [
        _finding(
            "error",
            file.file,
            mark_of(file.origins, ("inputs", it.name)),
            "no message uses it: take it out, or use it",
            ("inputs", it.name),
        )
        for it in prompt.inputs
        if it.name not in used
    ]


def _forms(read: Read) -> list[Finding]:
    """Text in a form of Unicode that looks like another one and is other tokens."""
    found = []
    for turn in read.file.turns:
        for number, line in enumerate(turn.source.split("\n")):
            if not unicodedata.is_normalized("NFC", line):
                what = "letters and their accents stand apart here (no NFC): models read it so"
                found.append(_finding("warning", read.file.file, Mark(turn.line + number, 1), what))
    return found


def _models(prompt: Prompt, file: VersionFile, knows: Callable[[str], bool]) -> list[Finding]:
    return [
        _finding(
            "warning",
            file.file,
            mark_of(file.origins, ("models", str(number))),
            f"no target and no price table knows {quoted(pin.model)}",
            ("models", str(number)),
        )
        for number, pin in enumerate(prompt.pins)
        if not knows(pin.model)
    ]


def _prefix(prompt: Prompt, file: VersionFile, asked: Asked) -> list[Finding]:
    counter = counter_of(prompt, asked.tokenizer)
    prefix = prefix_of(prompt, counter)
    if prefix.first is None or prefix.saved <= 0:
        return []
    line = file.turns[prefix.turn].line + prefix.line - 1
    about = "" if counter.exact else "about "
    what = (
        f"{quoted(prefix.first)} varies after {about}{prefix.before:,} tokens, and "
        f"{about}{prefix.behind:,} tokens of text that never changes stand behind it: with what "
        f"varies moved behind them, a provider keeps {about}{prefix.saved:,} tokens more"
    )
    prices = next((it for pin in prompt.pins if (it := asked.price_of(pin.model))), None)
    if prices is not None:
        saved = prefix.saved_nanousd(prices.in_usd_per_mtok, prices.cached_usd_per_mtok)
        what += f", ${format_usd(saved * 1_000_000)} less for a million requests"
    return [_finding("warning", file.file, Mark(line, 1), what)]
