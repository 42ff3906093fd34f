"""Prompts, rendered in one line."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.prompt import Input, InputKind, Prompt, Turn
from tidegate.prompts.render import Renderer


def prompt(*sources: str, partials: dict[str, str] | None = None, **inputs: InputKind) -> Prompt:
    """The sources are messages of the user; inputs by name and type."""
    return Prompt(
        "support",
        "v1",
        "",
        tuple(Turn("user", source) for source in sources),
        tuple(Input(name, kind) for name, kind in inputs.items()),
        tuple((partials or {}).items()),
    )


def sent(**values: Any) -> dict[str, Raw]:
    return {name: Raw(msgspec.json.encode(value)) for name, value in values.items()}


def kind_of(value: Any) -> InputKind:
    kinds: dict[type, InputKind] = {str: "string", bool: "boolean", int: "integer", list: "array"}
    return kinds.get(type(value), "number" if isinstance(value, float) else "object")


def rendered(source: str, partials: dict[str, str] | None = None, **values: Any) -> str:
    """One message's text; RenderRefused."""
    kinds = {name: kind_of(value) for name, value in values.items()}
    made = Renderer(prompt(source, partials=partials, **kinds))
    return "".join(it.text for it in made.render(sent(**values)))
