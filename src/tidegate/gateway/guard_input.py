"""guard_input: a route's guardrails look through what its callers send, before anybody else does.

What they redact is written into the body, so that limits, caches, captures and providers know
nothing but the placeholders. What is not text (token ids) is not let past guardrails that stop
anything.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tidegate.core.ask import Ask
from tidegate.core.guardrail import Side, Verdict
from tidegate.core.outcome import Refusal
from tidegate.gateway.guard_check import Check, Unanswered
from tidegate.gateway.guard_check import ask as ask_address
from tidegate.gateway.guard_fields import UNREAD, holds_text, of_member
from tidegate.gateway.guard_texts import Clean
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import Looking
from tidegate.text.strict_json import UNREADABLE, loses_members

T = TypeVar("T")
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
# May be the ids of tokens.
_OF_IDS: Final = ("prompt", "input")
# Characters times things that are looked for in them: more is done beside the loop.
_HIDDEN_AT_ONCE: Final = 1024 * 1024
# A longer body is looked through beside the loop.
AT_ONCE_BYTES: Final = 64 * 1024
_MOST_CHECKED_CHARS: Final = 4 * 1024 * 1024


def guard_request(ask: Ask, guarding: Guarding, looking: Looking) -> None:
    """Those that look themselves. The request is another where they redact. Refusal."""
    _check_unread(ask, looking)
    if looking.checks or looking.judges:  # who look at all of it, as it is read here
        _put(ask, {name: _once(ask.members[name], value) for name, value in _values(ask)})
    if not looking.every:
        _check_ids(ask, looking)
        return

    def clean(text: str) -> str:
        return guarding.clean(text, looking)

    changed: dict[str, Raw] = {}
    for name, raw in ask.members.items():
        if not holds_text(name, raw):
            continue
        text = bytes(raw).decode()
        if not _hides(text) and not looking.may_have(_unescaped(text)):
            _check_readable(name, text, looking)
            continue
        changed[name] = _member(name, raw, clean, looking)
    _put(ask, changed)


async def check_request(
    ask: Ask, guarding: Guarding, checks: Sequence[Check], until_s: float | None = None
) -> None:
    """Those that ask an address, one after the other, each about what the one before has left.
    Refusal; Failure where its caller waits no longer than `until_s` (monotonic)."""
    for check in checks:
        texts: list[str] = []
        await looked_at(len(ask.body), partial(_walk, ask, texts.append))
        if not texts:
            continue
        verdict = await asked(check, "input", guarding, texts, until_s)
        if verdict is None:
            continue
        await looked_at(len(ask.body), partial(_replace, ask, verdict.texts))


async def looked_at(length: int, look: Callable[[], T]) -> T:
    """What `look` comes to, beside the loop where there is much to look at."""
    return await asyncio.to_thread(look) if length > AT_ONCE_BYTES else look()


def _replace(ask: Ask, texts: Sequence[str]) -> None:
    """Has other texts stand in the place of its own, in their order."""
    instead = iter(texts)
    changed = {}
    for name, value in _values(ask):
        made = of_member(name, value, lambda _: next(instead))
        if made is not value:
            changed[name] = Raw(_encode(made))
    _put(ask, changed)


def _put(ask: Ask, changed: Mapping[str, Raw]) -> None:
    """Has it sent with these in the place of its members, where any is another."""
    if any(raw is not ask.members[name] for name, raw in changed.items()):
        ask.members = {**ask.members, **changed}
        ask.body = _encode(ask.members)


def check_form(ask: Ask, before: Mapping[str, Raw]) -> None:
    """Refusal where something was taken out of a form, which is sent as it came."""
    if ask.metered is not None and ask.metered.form is not None and ask.members != before:
        message = "the request holds what a guardrail takes out, and a form is sent as it came"
        raise Refusal("guardrail_blocked", message)


async def asked(
    check: Check, side: Side, guarding: Guarding, texts: Sequence[str], until_s: float | None
) -> Verdict | None:
    """What is to stand in the place of these, if anything is. Refusal; Failure where its caller
    waits no longer."""
    guardrail = check.guardrail
    if sum(map(len, texts)) > _MOST_CHECKED_CHARS:
        guarding.too_long(guardrail, side, _MOST_CHECKED_CHARS)
        return None
    hidden = texts
    if guarding.restored and side == "output":  # is for its caller alone
        if sum(map(len, texts)) * len(guarding.restored) > _HIDDEN_AT_ONCE:
            hidden = await asyncio.to_thread(guarding.hidden, texts)
        else:
            hidden = guarding.hidden(texts)
    try:
        verdict = await ask_address(check, side, guarding.receipt, hidden, until_s)
    except Unanswered as why:
        guarding.failed(guardrail, side, str(why))
        return None
    if verdict.action == "allow":
        return None
    if verdict.action == "block":
        guarding.block(guardrail, side, "flagged")
    guarding.note(guardrail, side, "flagged", verdict.action)
    if verdict.action != "redact":
        return None
    if hidden is texts:
        return verdict
    return replace(verdict, texts=guarding.shown(texts, hidden, verdict.texts))


def _hides(text: str) -> bool:
    """Whether escapes of JSON may hide anything from who reads it as it is."""
    if "\\" not in text:
        return False
    return "\\" in text.replace("\\n", "").replace('\\"', "")


def _unescaped(text: str) -> str:
    """As it is read, where nothing else is escaped."""
    return text.replace("\\n", "\n").replace('\\"', '"') if "\\" in text else text


def _member(name: str, raw: Raw, clean: Clean, looking: Looking) -> Raw:
    """The member with its texts as `clean` has them; the same object where none is another."""
    value = _read(name, raw)
    _check_text(name, value, looking)
    made = of_member(name, value, clean)
    return _once(raw, value) if made is value else Raw(_encode(made))


def _once(raw: Raw, value: Any) -> Raw:
    """What was read of it, where something in it came twice: a provider might read the other one,
    which nobody has looked at. The same object where nothing did."""
    written = _encode(value)
    if written == bytes(raw) or not loses_members(bytes(raw), value):
        return raw
    return Raw(written)


def _read(name: str, raw: Raw) -> Any:
    try:
        return _decode(raw)
    except UNREADABLE:
        message = f"`{name}` cannot be read, and that model's requests are looked through"
        raise Refusal("invalid_parameter", message, param=name) from None


def _check_readable(name: str, text: str, looking: Looking) -> None:
    """Token ids have no letter of anything that is looked for."""
    if name in _OF_IDS and text.lstrip()[:1] == "[":
        first = text.lstrip()[1:].lstrip()[:1]
        if first.isdigit() or first == "[":
            _check_text(name, _decode(text), looking)


def _check_ids(ask: Ask, looking: Looking) -> None:
    """Where only addresses are asked, which get texts."""
    for name in _OF_IDS:
        raw = ask.members.get(name)
        if raw is not None:
            _check_readable(name, bytes(raw).decode(), looking)


def _check_text(name: str, value: Any, looking: Looking) -> None:
    """Refusal where it holds the ids of tokens, which nobody here can read."""
    if name not in _OF_IDS or not isinstance(value, list):
        return
    ids = any(isinstance(it, int | list) for it in value)
    if ids and _stops(looking):
        message = f"`{name}` holds token ids; that model's requests are looked through: send text"
        raise Refusal("invalid_parameter", message, param=name)


def _check_unread(ask: Ask, looking: Looking) -> None:
    """Refusal where a model is shown what nobody here can read."""
    for name in UNREAD.intersection(ask.members):
        if bytes(ask.members[name]) != b"null" and _stops(looking):
            message = f"`{name}` cannot be looked through, and that model's requests are"
            raise Refusal("unsupported_parameter", message, param=name)


def _stops(looking: Looking) -> bool:
    return bool(looking.checks) or any(guard.stops for guard in looking.every)


def _walk(ask: Ask, hear: Any) -> None:
    def heard(text: str) -> str:
        hear(text)
        return text

    for name, value in _values(ask):
        of_member(name, value, heard)


def _values(ask: Ask) -> list[tuple[str, Any]]:
    return [(name, _read(name, it)) for name, it in ask.members.items() if holds_text(name, it)]
