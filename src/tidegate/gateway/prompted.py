"""prompted: a route's prompt, rendered with the variables that its caller sends.

A request says `prompt: {variables: {...}}` beside its messages, or in place of them. What the
prompt comes to stands before the conversation, in its caller's own wire, before anything is
counted.
"""

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask, content_name
from tidegate.core.outcome import Refusal
from tidegate.core.prompt import is_name
from tidegate.core.purpose import EVAL
from tidegate.core.receipt import Receipt
from tidegate.gateway.addition import add_open, prepend
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prompt_versions import MEMBER, Asked
from tidegate.gateway.size import note_conversation
from tidegate.prompts.rendered import Message

_BREAK: Final = "\n\n"
_QUOTE: Final = ord('"')
_NONE: Final = Raw(b"[]")
_NULL: Final = b"null"
_FALSE: Final = b"false"
_SYSTEMS: Final = ("system", "instructions")
_encode: Final = msgspec.json.Encoder().encode
_items: Final = msgspec.json.Decoder(list[Raw]).decode
_WHY: Final = '`prompt` must be an object such as {"variables": {"name": "value"}}'


class _Own(Struct, forbid_unknown_fields=True):
    rendered: str


_asked: Final = msgspec.json.Decoder(Asked).decode
_own: Final = msgspec.json.Decoder(_Own).decode


def written(ask: Ask, route: PreparedRoute, receipt: Receipt) -> PreparedRoute:
    """The request with what its route adds to it, and what it obeys from then on. Refusal."""
    if route.route.prefix_marks is not None and not ask.counts:
        ask.prefix_ttl = route.route.prefix_marks
    if route.prompt is not None or ask.bare or receipt.purpose == EVAL:
        route = _prompted(ask, route, receipt)
    if route.addition is not None:
        route.addition.to(ask, receipt)
    return route


def _prompted(ask: Ask, route: PreparedRoute, receipt: Receipt) -> PreparedRoute:
    prompt, raw = route.prompt, ask.members.get(MEMBER)
    own = _rendered(raw) if raw is not None and receipt.purpose == EVAL else None
    if own is not None:
        return _unprompted(ask, route, receipt, own)
    if prompt is None:
        if ask.bare:
            name = content_name(ask)
            raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
        return route
    if ask.endpoint != "chat":
        message = "that model is asked by a prompt of its own, in chats alone"
        raise Refusal("invalid_request", message, param="model")
    asked = Asked() if raw is None or bytes(raw) == _NULL else _read(raw)
    version = prompt.chosen(asked)
    messages = version.render(asked.variables or {})
    note_conversation(ask, receipt)  # as its caller knows it, whatever version serves
    receipt.prompt, receipt.prompt_version = prompt.name, version.prompt.version
    members = {name: value for name, value in ask.members.items() if name != MEMBER}
    _write(messages, ask, members)
    if route.addition is not None:  # the route's own speak before the version's
        add_open(route.addition.parameters.get(ask.dialect, ()), ask, members)
        ask.members, members = members, dict(members)
    add_open(version.parameters.get(ask.dialect, ()), ask, members)
    tools = version.tools.get(ask.dialect)
    if tools is not None and bytes(members.get("tools", Raw(_NULL))) == _NULL:
        members["tools"] = tools
    ask.members, ask.body = members, _encode(members)
    if receipt.purpose == EVAL:
        receipt.asked_digest = _digest(ask)
    contract = version.contract if route.contract is None else route.contract
    return replace(route, contract=contract, told=version.head, addition=None)


def _unprompted(ask: Ask, route: PreparedRoute, receipt: Receipt, own: str) -> PreparedRoute:
    """An eval renders what it asks by itself: versions are tried before they are tagged. `own` is
    which it was, empty where it does not say."""
    if ask.bare:
        name = content_name(ask)
        raise Refusal("missing_parameter", f"`{name}` is missing", param=name)
    if own:
        name, _, version = own.partition("@")
        if not is_name(name) or not is_name(version):
            message = "`prompt.rendered` is a prompt and its version, such as support@v4"
            raise Refusal("invalid_parameter", message, param=f"{MEMBER}.rendered")
        receipt.prompt, receipt.prompt_version = name, version
    ask.members = {name: value for name, value in ask.members.items() if name != MEMBER}
    ask.body = _encode(ask.members)
    receipt.asked_digest = _digest(ask)
    return route


def _rendered(raw: Raw) -> str | None:
    """Which version an eval says that it has rendered, empty where it does not say; None where it
    leaves that to us."""
    if bytes(raw) == _FALSE:
        return ""
    try:
        return _own(raw).rendered
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _digest(ask: Ask) -> str:
    """SHA-256 (hex, shortened to 128 bits) of the conversation and what stands before it."""
    said = sha256()
    for name in (content_name(ask), *_SYSTEMS):
        said.update(bytes(ask.members.get(name, Raw(_NULL))) + b"\0")
    return said.hexdigest()[:32]


def _read(raw: Raw) -> Asked:
    try:
        return _asked(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("invalid_parameter", _WHY, param=MEMBER) from None


def _write(messages: tuple[Message, ...], ask: Ask, members: dict[str, Raw]) -> None:
    """The prompt's messages before the caller's. Its system messages become the conversation's."""
    system = _BREAK.join(it.text for it in messages if it.role == "system")
    # A stored conversation that goes on began with them.
    begins = bytes(members.get("previous_response_id", _NULL)) == _NULL
    turns = [
        Raw(_encode({"role": it.role, "content": it.text}))
        for it in messages
        if it.role != "system" and (begins or ask.dialect != OPENAI_RESPONSES)
    ]
    name = content_name(ask)
    said = members.get(name, _NONE)
    if ask.bare and not turns:
        why = "has no message of a user" if begins else "stands at the conversation's beginning"
        message = f"`{name}` is missing: the prompt of that model {why}"
        raise Refusal("missing_parameter", message, param=name)
    if turns:
        members[name] = _after(turns, said, ask.dialect)
    if system:
        prepend(system, ask.dialect, members)


def _after(turns: list[Raw], said: Raw, dialect: str) -> Raw:
    """The caller's messages behind the prompt's; what its system said stays ahead of both."""
    if memoryview(said)[0] == _QUOTE:  # the one text of Responses
        return Raw(_encode([*turns, {"role": "user", "content": said}]))
    try:
        own = _items(said)
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("invalid_json", "the conversation is no array of messages") from None
    first = 0
    if dialect != ANTHROPIC_MESSAGES:  # whose system stands beside its messages
        while first < len(own) and _is_system(own[first]):
            first += 1
    return Raw(_encode([*own[:first], *turns, *own[first:]]))


class _Role(Struct):
    role: str | None = None


_role: Final = msgspec.json.Decoder(_Role).decode


def _is_system(turn: Raw) -> bool:
    try:
        return _role(turn).role in ("system", "developer")
    except (msgspec.DecodeError, RecursionError):
        return False
