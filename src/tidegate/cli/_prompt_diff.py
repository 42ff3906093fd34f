"""`tidegate prompt diff`: how two versions of a prompt differ, and what that costs."""

import sys
from difflib import unified_diff
from typing import Any, BinaryIO

import click
import msgspec
from msgspec import Raw, Struct

from tidegate.cli._prompt_source import Where, open_prompts, source_options
from tidegate.core.prompt import Prompt
from tidegate.prompts.counting import counter_of
from tidegate.prompts.delta import Delta, token_delta
from tidegate.prompts.rendered import RenderRefused
from tidegate.prompts.write import file_text
from tidegate.text.tokens import ENCODINGS

_MAX_CASES_BYTES = 64 * 1024 * 1024


class _Case(Struct, frozen=True):
    """A line of the golden set."""

    variables: dict[str, Raw]
    id: str | int | None = None


@click.command("diff")
@click.argument("name")
@click.argument("before")
@click.argument("after")
@click.option(
    "--cases",
    type=click.File("rb"),
    help="JSON lines, each {variables: {...}}: input tokens of both are counted over them.",
)
@click.option("--tokenizer", type=click.Choice(list(ENCODINGS)), help="Count by this one.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@source_options
def diff(where: Where, name: str, as_json: bool, **how: Any) -> None:
    """Show how version AFTER of the prompt NAME differs from BEFORE; each a version or a tag.

    With --cases also by how many input tokens: over 20 % more is a warning, over 50 % more blocks.
    Exit 0 when a model is asked the same, 1 when not, 3 when it blocks.
    """
    prompts = open_prompts(where)
    old, new = prompts.prompt(name, how["before"]), prompts.prompt(name, how["after"])
    delta = _delta(old, new, how)
    lines = _lines(old, new)
    is_same = old.digest == new.digest
    if as_json:
        told = {"same": is_same, "before": old.digest, "after": new.digest, "diff": lines}
        if delta is not None:
            told["tokens"] = _told(delta)
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        for line in lines:
            click.echo(line)
        if is_same:
            click.echo("A model is asked the same by both.", err=True)
        if delta is not None:
            _show(delta)
    blocked = delta is not None and delta.verdict == "block"
    sys.exit(3 if blocked else 0 if is_same else 1)


def _delta(old: Prompt, new: Prompt, how: dict[str, Any]) -> Delta | None:
    if how["cases"] is None:
        return None
    counter = counter_of(new, how["tokenizer"])
    try:
        return token_delta(old, new, _cases(how["cases"]), counter)
    except RenderRefused as no:
        raise click.ClickException(str(no)) from None


def _cases(file: BinaryIO) -> list[tuple[str, dict[str, Raw]]]:
    found: list[tuple[str, dict[str, Raw]]] = []
    for number, line in enumerate(file.read(_MAX_CASES_BYTES).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            case = msgspec.json.decode(line, type=_Case)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = f"line {number}: {error}"
            raise click.BadParameter(what, param_hint="--cases") from None
        found.append((str(case.id if case.id is not None else number), case.variables))
    return found


def _lines(old: Prompt, new: Prompt) -> list[str]:
    """Of their files in one way of writing, and of the partials that they include."""
    texts = [_whole(it).splitlines() for it in (old, new)]
    names = [f"{it.name}/{it.version}" for it in (old, new)]
    return list(unified_diff(texts[0], texts[1], names[0], names[1], lineterm=""))


def _whole(prompt: Prompt) -> str:
    partials = [f"{{# partial {name} #}}\n{source}\n" for name, source in prompt.partials]
    return "\n".join([file_text(prompt), *partials])


def _told(delta: Delta) -> dict[str, object]:
    return {
        "before": delta.before,
        "after": delta.after,
        "share": delta.share,
        "verdict": delta.verdict,
        "exact": delta.exact,
        "cases": delta.cases,
    }


def _show(delta: Delta) -> None:
    of = f"{delta.compared} of {len(delta.cases)} cases"
    share = "unknown" if delta.share is None else f"{100 * delta.share:+.1f} %"
    click.echo(
        f"input tokens over {of}: {delta.before:,} -> {delta.after:,} ({share}), "
        f"{delta.verdict}; counted by {delta.counted_by}"
    )
    for it in delta.cases:
        if it.refused is not None:
            click.echo(f"case {it.id}: {it.refused}", err=True)
