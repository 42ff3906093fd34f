"""Prompts out of Langfuse's public API (`/api/public/v2/prompts`) and back into it.

Langfuse's labels are our tags, `production` is `stable`; its `config` are parameters, models and
tools where it says those of OpenAI's chat completions. What it has no place for, or we have none
for, is told. A prompt that only names variables is written in Langfuse's own way; of others
`config.tidegate` keeps what makes them whole, so that what was exported is imported the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tidegate.core.conversation import Role
from tidegate.core.prompt import STABLE, Input, Output, Pin, Prompt, Turn, is_name
from tidegate.core.words import quoted
from tidegate.prompts.imported import Imported, ImportProblem, checked_variable, named, whole
from tidegate.prompts.mustache import names_in, to_mustache, to_template

PRODUCTION: Final = "production"
LATEST: Final = "latest"
# Members of `config` that are members of a request too.
PARAMETERS: Final = frozenset(
    {"temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "seed"}
    | {"presence_penalty", "frequency_penalty", "stop", "logit_bias", "logprobs", "top_logprobs"}
    | {"response_format", "tool_choice", "parallel_tool_calls", "reasoning_effort", "verbosity"}
    | {"service_tier", "modalities", "prediction"}
)
_OWN: Final = "tidegate"
_PLACEHOLDER: Final = re.compile(r"\{# placeholder #\}\{% for turn in ([A-Za-z][A-Za-z0-9_]*) %\}")
_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_KEPT: Final = ("inputs", "partials", "parameters", "pins", "tools", "output", "owner", "suites")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


class _Message(Struct, frozen=True):
    """A chat's message, or a place for several that the caller sends (`placeholder`)."""

    type: str | None = None
    role: str | None = None
    content: str | None = None
    name: str | None = None


class _Record(Struct, frozen=True):
    """One version of a prompt as Langfuse's API gives it."""

    name: str
    prompt: str | list[_Message]
    version: int = 1
    type: Literal["text", "chat"] | None = None
    config: dict[str, Raw] | None = None
    labels: list[str] = []
    tags: list[str] = []
    commitMessage: str | None = None


class _Kept(Struct, frozen=True, omit_defaults=True):
    """`config.tidegate`: what Langfuse has no place for."""

    version: str
    inputs: tuple[Input, ...] = ()
    turns: tuple[Turn, ...] | UnsetType = UNSET
    partials: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    pins: tuple[Pin, ...] = ()
    tools: str | None = None
    output: Output = Output()
    owner: str | None = None
    suites: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def read_export(data: bytes, file: str) -> list[Imported | ImportProblem]:
    """Every version that an export holds: a list, an object with `data`, one object, or JSON lines.
    Each is read, or says what is wrong with it."""
    return [_imported(record, file, where) for where, record in _records(data, file)]


def _records(data: bytes, file: str) -> Iterator[tuple[str, Raw | ImportProblem]]:
    try:
        found = msgspec.json.decode(data, type=list[Raw] | dict[str, Raw])
        if isinstance(found, dict) and "data" in found:
            found = msgspec.json.decode(found["data"], type=list[Raw])
        elif isinstance(found, dict):
            found = [Raw(data)]
        yield from ((f"[{number}]", it) for number, it in enumerate(found))
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        whole = str(error)
    lines = [(n, it) for n, it in enumerate(data.splitlines(), start=1) if it.strip()]
    if len(lines) < 2:
        yield "", ImportProblem(file, "", f"this is no export of Langfuse's in JSON: {whole}")
        return
    yield from ((f"line {number}", Raw(it)) for number, it in lines)


def _imported(record: Raw | ImportProblem, file: str, where: str) -> Imported | ImportProblem:
    if isinstance(record, ImportProblem):
        return record
    try:
        read = msgspec.json.decode(record, type=_Record)
        notes: list[str] = []
        return _prompt(read, notes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return ImportProblem(file, where, str(error))


def _prompt(record: _Record, notes: list[str]) -> Imported:
    config = dict(record.config or {})
    own = config.pop(_OWN, None)
    if own is not None:
        return _kept(record, msgspec.json.decode(own, type=_Kept))
    name = named(record.name, notes)
    turns, inputs = _turns(record)
    for variable in inputs:
        checked_variable(variable)
    parameters, pins, tools = _config(config, notes)
    if record.tags:
        notes.append(f"Langfuse's tags {', '.join(map(quoted, record.tags))} are left out")
    prompt = Prompt(
        name,
        f"v{record.version}",
        "",
        turns,
        tuple(inputs.values()),
        parameters=parameters,
        pins=pins,
        tools=tools,
    )
    return Imported(whole(prompt), tuple(_tags(record.labels, notes)), tuple(notes))


def _kept(record: _Record, kept: _Kept) -> Imported:
    """What was exported by us."""
    turns = kept.turns if isinstance(kept.turns, tuple) else _turns(record)[0]
    members = {name: getattr(kept, name) for name in _KEPT}
    prompt = Prompt(record.name, kept.version, "", turns, **members)
    names = (prompt.name, prompt.version, *kept.tags)
    if not all(map(is_name, names)):
        raise ValueError(f"{quoted(' '.join(names))}: one of these is no name of ours")
    return Imported(whole(prompt), kept.tags, ())


def _turns(record: _Record) -> tuple[tuple[Turn, ...], dict[str, Input]]:
    """The messages, and the variables that they name."""
    inputs: dict[str, Input] = {}
    if isinstance(record.prompt, str):
        inputs |= {name: Input(name) for name in names_in(record.prompt)}
        return (Turn("system", to_template(record.prompt)),), inputs
    turns: list[Turn] = []
    for number, message in enumerate(record.prompt):
        if message.type == "placeholder":
            if not message.name:
                raise ValueError(f"prompt[{number}]: a placeholder has a `name`")
            turns.append(Turn("user", _placeholder(checked_variable(message.name))))
            inputs[message.name] = Input(message.name, "array", "[]")
            continue
        role = _ROLES.get(message.role or "")
        if role is None or message.content is None:
            raise ValueError(f"prompt[{number}]: expected a message with `role` and `content`")
        turns.append(Turn(role, to_template(message.content)))
        for name in names_in(message.content):
            inputs.setdefault(name, Input(name))
    if not turns:
        raise ValueError("prompt: it has no message")
    return tuple(turns), inputs


def _placeholder(name: str) -> str:
    return (
        f"{{# placeholder #}}{{% for turn in {name} %}}"
        "{{ turn.role }}: {{ turn.content }}{{ '\\n' if not loop.last }}{% endfor %}"
    )


def _config(
    config: dict[str, Raw], notes: list[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Pin, ...], str | None]:
    """Parameters, models and tools out of a `config`."""
    model = config.pop("model", None)
    tools = config.pop("tools", None)
    pins: tuple[Pin, ...] = ()
    if model is not None:
        pins = (Pin(msgspec.json.decode(model, type=str)),)
    if tools is not None and not isinstance(_decode(tools), list):
        raise ValueError("config.tools: expected a list")
    parameters = []
    for name, value in sorted(config.items()):
        if name in PARAMETERS:
            parameters.append((name, _encode(_decode(value)).decode()))
        else:
            notes.append(f"config.{name} is no parameter of a request, and is left out")
    return tuple(parameters), pins, None if tools is None else _encode(_decode(tools)).decode()


def _tags(labels: Iterable[str], notes: list[str]) -> Iterator[str]:
    for label in labels:
        tag = STABLE if label == PRODUCTION else label
        if label == LATEST:
            continue  # Langfuse's own, of whichever version is the newest
        if is_name(tag):
            yield tag
        else:
            notes.append(f"the label {quoted(label)} is no name of a tag, and is left out")


def export_prompts(prompts: Iterable[tuple[Prompt, tuple[str, ...]]]) -> bytes:
    """A list of versions, each with its tags, as Langfuse's API takes and gives them."""
    records = [_exported(prompt, tags) for prompt, tags in prompts]
    return msgspec.json.format(_encode(records), indent=2)


def _exported(prompt: Prompt, tags: tuple[str, ...]) -> dict[str, Any]:
    number = prompt.version.removeprefix("v")
    members = {name: getattr(prompt, name) for name in _KEPT}
    messages = [_message(turn) for turn in prompt.turns]
    plain = [it for it in messages if it is not None]
    is_plain = len(plain) == len(messages) and not prompt.partials
    config: dict[str, Any] = {
        name: Raw(value.encode()) for name, value in prompt.parameters if name in PARAMETERS
    }
    if prompt.pins:
        config["model"] = prompt.pins[0].model
    if prompt.tools is not None:
        config["tools"] = Raw(prompt.tools.encode())
    turns = UNSET if is_plain else prompt.turns
    config[_OWN] = _Kept(prompt.version, turns=turns, tags=tags, **members)
    if not is_plain:
        plain = [{"role": turn.role, "content": turn.source} for turn in prompt.turns]
    is_text = len(plain) == 1 and plain[0].get("role") == "system"
    return {
        "name": prompt.name,
        "version": int(number) if number.isdigit() and 0 < len(number) < 10 else 1,
        "type": "text" if is_text else "chat",
        "prompt": plain[0]["content"] if is_text else plain,
        "config": config,
        "labels": [PRODUCTION if tag == STABLE else tag for tag in tags],
        "tags": [],
    }


def _message(turn: Turn) -> dict[str, str] | None:
    """A message in Langfuse's own way; None where its templates do not say as much."""
    place = _PLACEHOLDER.match(turn.source)
    if place is not None and turn == Turn("user", _placeholder(place[1])):
        return {"type": "placeholder", "name": place[1]}
    text = to_mustache(turn.source)
    return None if text is None else {"role": turn.role, "content": text}
