"""The front matter of a prompt: what stands between its `---` lines, in YAML."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.declared_contracts import MAX_CHARS, PatternOfContent, SchemaOfContent
from tidegate.core.declared_scalars import Text
from tidegate.core.prompt import InputKind

MAX_INPUTS: Final = 200
Value = Annotated[str | None, Meta(extra={"read": "value"})]
Variable = Annotated[str, Meta(max_length=64)]


class DeclaredInput(Struct, frozen=True, omit_defaults=True):
    """A variable of the prompt. A plain text stands for its `type`."""

    type: Annotated[
        InputKind,
        Meta(description="What its values are, in the words of JSON Schema."),
    ] = "string"
    default: Annotated[
        Value,
        Meta(description="What stands for it where a caller sends none; without one it must."),
    ] = None
    description: Annotated[Text | None, Meta(description="What it is, for people.")] = None


class DeclaredPin(Struct, frozen=True, omit_defaults=True):
    """A model that the version was written for. A plain text stands for `model`."""

    model: Annotated[Text, Meta(description="As its provider calls it.")]
    snapshot: Annotated[
        Text | None, Meta(description="The exact version of it, where the provider names one.")
    ] = None


class DeclaredOutput(Struct, frozen=True, omit_defaults=True):
    """What its answers must be, where the route asks nothing of its own."""

    json: Annotated[bool, Meta(description="The content is one JSON value.")] = False
    json_schema: SchemaOfContent = None
    tools: Annotated[bool, Meta(description="Calls of tools fit the tools of their request.")] = (
        False
    )
    regex: PatternOfContent = None
    max_chars: Annotated[
        int | None,
        Meta(ge=1, le=MAX_CHARS, extra={"read": "quantity"}, description="At most so long."),
    ] = field(default=None, name="max_length")


class FrontMatter(Struct, frozen=True, omit_defaults=True):
    """What a version of a prompt says of itself, ahead of its text."""

    inputs: Annotated[
        dict[Variable, Annotated[DeclaredInput, Meta(extra={"shorthand": "type"})]],
        Meta(description="The variables that a caller sends, by name."),
    ] = {}
    parameters: Annotated[
        dict[Text, Value],
        Meta(
            description="Members of a request's body such as `temperature`, by their names in "
            "OpenAI's chat completions."
        ),
    ] = {}
    tools: Annotated[
        Value, Meta(description="A list of tools, written as in OpenAI's chat completions.")
    ] = None
    models: Annotated[
        tuple[Annotated[DeclaredPin, Meta(extra={"shorthand": "model"})], ...],
        Meta(description="The models that it was written for."),
    ] = ()
    output: Annotated[DeclaredOutput, Meta(description="What its answers must be.")] = (
        DeclaredOutput()
    )
    owner: Annotated[Text | None, Meta(description="Who answers for it.")] = None
    suites: Annotated[
        tuple[Text, ...], Meta(description="The suites of `evals/` that it has to pass.")
    ] = ()
