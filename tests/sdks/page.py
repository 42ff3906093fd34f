"""The tables of docs/providers.md, of the cells that the tests hold."""

import re
from pathlib import Path

import msgspec
from tests.providers.family import SERVED
from tests.sdks.matrix import CALLERS, CELLS, PROVIDERS, UNSAID, counts, embeds
from tests.sdks.said import CASES

from tidegate.core.receipt import Endpoint

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs/providers.md"
_NPM_LOCK = "examples/typescript/package-lock.json"
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
_OF_OPENAI = "every cell of chat completions and Responses"
_OF_ANTHROPIC = "every cell of Messages"
_NPM = {
    "openai": _OF_OPENAI,
    "@anthropic-ai/sdk": _OF_ANTHROPIC,
    "ai": "with `@ai-sdk/openai-compatible` text, and its own loop of tools, at every provider",
}
BEGIN = "<!-- tables: python -m tests.sdks -->"
END = "<!-- end of tables -->"
_TITLES = {
    "chat": "OpenAI's client, chat completions",
    "responses": "OpenAI's client, Responses",
    "messages": "Anthropic's client, Messages",
}
_CASES = {
    "text": "text",
    "tools": "tools",
    "named": "named tool",
    "structured": "JSON Schema",
    "image": "image",
    "document": "document",
    "reasoning": "reasoning",
    "cut": "ceiling",
    "stop": "stop",
    "cache": "cache mark",
    "image_url": "image URL",
    "any_json": "any JSON",
    "choices": "`n`",
}

_ENDPOINTS: dict[Endpoint, str] = {
    "chat": "chat",
    "completions": "text",
    "embeddings": "embeddings",
    "rerank": "rerank",
    "moderations": "moderations",
    "images": "images",
    "image_edits": "edits",
    "image_variations": "variations",
    "speech": "speech",
    "transcriptions": "transcriptions",
    "translations": "translations",
}


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(caller: str, provider: str, case: str) -> str:
    """What the page says of a cell."""
    cell = CELLS[caller, provider, case]
    if cell.by_them:
        return "**no**, by them"
    if cell.refused is not None:
        return "**no**"
    mark = "R" if cell.recorded else "s"
    return f"{mark} (less)" if cell.dropped else mark


def _table(caller: str) -> list[str]:
    cases = [case for case in CASES if case not in UNSAID[caller]]
    lines = [f"### {_TITLES[caller]}", "", _row(["", *(_CASES[case] for case in cases)])]
    lines.append(_row(["---"] * (len(cases) + 1)))
    for provider in PROVIDERS:
        cells = [_cell(caller, provider, case) for case in cases]
        lines.append(_row([f"`{provider}`", *cells]))
    return [*lines, ""]


def _clients() -> list[str]:
    """Whose conversations are held, by the versions that the locks name."""
    lines = ["### The clients", "", _row(["client", "from", "version", "holds"]), _row(["---"] * 4)]
    pins = dict(_PIN.findall((REPOSITORY / "requirements/dev.txt").read_text()))
    lock = msgspec.json.decode((REPOSITORY / _NPM_LOCK).read_bytes())["packages"]
    for name, held in (("openai", _OF_OPENAI), ("anthropic", _OF_ANTHROPIC)):
        lines.append(_row([f"`{name}`", "PyPI", pins[name], held]))
    for name, held in _NPM.items():
        version = lock[f"node_modules/{name}"]["version"]
        lines.append(_row([f"`{name}`", "npm", version, held]))
    return [*lines, ""]


def _small() -> list[str]:
    lines = ["### Embeddings and counted tokens", ""]
    lines += [_row(["", "embeddings", "`count_tokens`"]), _row(["---"] * 3)]
    for provider in PROVIDERS:
        made = "s" if embeds(provider) else "**no**"
        counted = "s, by the provider" if counts(provider) else "estimated here"
        lines.append(_row([f"`{provider}`", made, counted]))
    return [*lines, ""]


def _served() -> list[str]:
    """What each provider's plug declares. One may lack a model for it."""
    lines = ["### What each serves", ""]
    lines += [_row(["", *_ENDPOINTS.values()]), _row(["---"] * (len(_ENDPOINTS) + 1))]
    for name, endpoints in SERVED.items():
        lines.append(_row([f"`{name}`", *("x" * (it in endpoints) for it in _ENDPOINTS)]))
    return [*lines, ""]


def _named() -> list[str]:
    """The cells with something left out or refused, by the caller's own names."""
    lines = ["### What is left out (less) or refused (no)", ""]
    lines += [_row(["client", "case", "at", "name"]), _row(["---"] * 4)]
    found: dict[tuple[str, str, str], list[str]] = {}
    for (caller, provider, case), cell in CELLS.items():
        names = [f"`{name}`" for name in cell.dropped]
        if cell.refused is not None:
            names = [f"`{cell.refused}` refused"]
        if names:
            found.setdefault((caller, case, ", ".join(names)), []).append(f"`{provider}`")
    for (caller, case, names), providers in found.items():
        lines.append(_row([caller, _CASES[case], ", ".join(providers), names]))
    return lines


def tables() -> str:
    lines = [line for caller in CALLERS for line in _table(caller)]
    return "\n".join([BEGIN, "", *_clients(), *lines, *_small(), *_served(), *_named(), "", END])


def with_tables(page: str) -> str:
    """The page with its tables as they are today. ValueError where it has no place for them."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has no {BEGIN} ... {END}")
    return before + tables() + after
