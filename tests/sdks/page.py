"""The tables of docs/providers.md, of the cells that the tests hold."""

from pathlib import Path

from tests.sdks.matrix import CALLERS, CELLS, PROVIDERS, UNSAID, counts, embeds
from tests.sdks.said import CASES

PAGE = Path(__file__).resolve().parents[2] / "docs/providers.md"
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


def _small() -> list[str]:
    lines = ["### Embeddings and counted tokens", ""]
    lines += [_row(["", "embeddings", "`count_tokens`"]), _row(["---"] * 3)]
    for provider in PROVIDERS:
        made = "s" if embeds(provider) else "**no**"
        counted = "s, by the provider" if counts(provider) else "estimated here"
        lines.append(_row([f"`{provider}`", made, counted]))
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
    return "\n".join([BEGIN, "", *lines, *_small(), *_named(), "", END])


def with_tables(page: str) -> str:
    """The page with its tables as they are today. ValueError where it has no place for them."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has no {BEGIN} ... {END}")
    return before + tables() + after
