"""Prompts' versions, ready for requests: templates compiled, contracts and tools in every wire."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
from msgspec import Raw, Struct

from tidegate.core import plugs
from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Contract
from tidegate.core.prompt import Output, Prompt, RoutePrompt, Tagged
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.core.words import nearest, quoted
from tidegate.gateway.addition import by_dialect
from tidegate.gateway.contract import PreparedContract
from tidegate.prompts.rendered import Message, RenderRefused

MEMBER: Final = "prompt"
_encode: Final = msgspec.json.Encoder().encode


class Asked(Struct, forbid_unknown_fields=True):
    """What a caller says of the prompt. OpenAI's Responses have `id`, `variables` and `version`."""

    id: str | None = None
    tag: str | None = None
    version: str | None = None
    variables: dict[str, Raw] | None = None


class Renders(Protocol):
    """RenderRefused says what of the variables is wrong."""

    def render(self, variables: Mapping[str, Raw]) -> tuple[Message, ...]: ...


class PromptVersion:
    """One version of a prompt, ready for the requests of every route that names it. ValueError
    where it cannot be rendered or its output's contract is none."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        try:
            self._renderer: Renders = plugs.load("prompts", "render")(prompt)
        except RenderRefused as no:
            raise ValueError(f"{prompt.name}@{prompt.version}: {no}") from no
        self.head = f"x-tidegate-prompt: {prompt.name}@{prompt.version}\r\n".encode()
        self.contract = contract_of(prompt.output)
        self.parameters = by_dialect(prompt.parameters)
        self.tools = _tools(prompt.tools)

    def render(self, variables: Mapping[str, Raw]) -> tuple[Message, ...]:
        """Refusal says what of the variables is wrong."""
        try:
            return self._renderer.render(variables)
        except RenderRefused as no:
            name = MEMBER if no.variable is None else f"{MEMBER}.variables.{no.variable}"
            raise Refusal("invalid_parameter", str(no), param=name[:200]) from None


class PreparedPrompt(Struct, frozen=True, eq=False):
    """What a route asks its models by. `versions` are by the tags that may be asked for; `usual`
    serves who asks for none."""

    name: str
    usual: PromptVersion
    tags: Mapping[str, PromptVersion]

    def chosen(self, asked: Asked) -> PromptVersion:
        """Refusal where its caller may not have that."""
        if asked.id is not None and asked.id != self.name:
            message = f"that model is asked by the prompt {quoted(self.name)}, not by another"
            raise Refusal("invalid_parameter", message, param="prompt.id")
        if asked.tag is not None:
            found = self.tags.get(asked.tag)
            if found is None:
                near = nearest(asked.tag, self.tags)
                message = f"that model's prompt may not be asked for by this tag{near}"
                raise Refusal("invalid_parameter", message, param="prompt.tag")
            return found
        if asked.version is None:
            return self.usual
        for found in (self.usual, *self.tags.values()):
            if found.prompt.version == asked.version:
                return found
        message = "that model's prompt may not be asked for in this version; ask for a tag"
        raise Refusal("invalid_parameter", message, param="prompt.version")


class PromptVersions:
    """Every version that plans have had lately, by its digest: made once, not with each plan."""

    def __init__(self) -> None:
        self._known: dict[str, PromptVersion] = {}

    def of_route(
        self, wanted: RoutePrompt | None, tagged: Mapping[str, Tagged]
    ) -> PreparedPrompt | None:
        """ValueError where the plan has no such version."""
        if wanted is None:
            return None
        found = tagged.get(wanted.name)
        if found is None:
            raise ValueError(f"the plan has no prompt {quoted(wanted.name)}")
        by_tag = {}
        for tag in set(wanted.tags) & found.tags.keys():
            one = found.at(tag)
            if one is not None:
                by_tag[tag] = self.of(one)
        usual = found.versions.get(wanted.version or found.tags.get(wanted.tag, ""))
        if usual is None:
            raise ValueError(f"the plan has no version of {quoted(wanted.name)} for its route")
        return PreparedPrompt(wanted.name, self.of(usual), by_tag)

    def of(self, prompt: Prompt) -> PromptVersion:
        known = self._known.get(prompt.digest)
        if known is None or known.prompt != prompt:
            known = self._known[prompt.digest] = PromptVersion(prompt)
        return known

    def keep(self, tagged: Mapping[str, Tagged]) -> None:
        """Only these from now on; requests under way have their own hold of theirs."""
        wanted = {it.digest for one in tagged.values() for it in one.versions.values()}
        self._known = {digest: it for digest, it in self._known.items() if digest in wanted}


def contract_of(output: Output) -> PreparedContract | None:
    """What a version asks of its answers, where it asks anything. SchemaProblem."""
    if output == Output():
        return None
    usual = Contract()
    contract = Contract(
        json=output.json,
        json_schema=output.json_schema,
        tools=output.tools,
        regex=output.regex,
        max_chars=output.max_chars or usual.max_chars,
    )
    return PreparedContract(contract)


class _Function(Struct, omit_defaults=True):
    name: str
    description: str | None = None
    parameters: Raw = Raw(b"{}")
    strict: bool | None = None


class _Tool(Struct):
    function: _Function | None = None


_of_openai: Final = msgspec.json.Decoder(list[_Tool]).decode


def _tools(text: str | None) -> Mapping[str, Raw]:
    """The version's tools, as OpenAI's chat has them, in every caller's wire, where what is no
    function has no place. ValueError."""
    if text is None:
        return {}
    try:
        found = [it.function for it in _of_openai(text) if it.function is not None]
    except msgspec.DecodeError as error:
        raise ValueError(f"its tools are none of OpenAI's: {error}") from error
    tools = {OPENAI_CHAT: Raw(text.encode())}
    if found:
        for_anthropic = [_described(it, "input_schema", it.strict) for it in found]
        # Responses takes functions strictly where it is not told otherwise; chats do not.
        for_responses = [
            {"type": "function", **_described(it, "parameters", it.strict is True)} for it in found
        ]
        tools[ANTHROPIC_MESSAGES] = Raw(_encode(for_anthropic))
        tools[OPENAI_RESPONSES] = Raw(_encode(for_responses))
    return tools


def _described(function: _Function, schema: str, strict: bool | None) -> dict[str, object]:
    told = {"description": function.description, "strict": strict}
    given = {name: value for name, value in told.items() if value is not None}
    return {"name": function.name, schema: function.parameters, **given}
