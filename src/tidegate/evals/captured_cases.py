"""Captured requests as cases of a suite, a JSON object a line, for its `cases_from`."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tidegate.core.capture import Captured
from tidegate.core.grading import Case, Check
from tidegate.evals.cases import ROLES

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[dict[str, Any]]).decode


_NO_MORE: Final[Mapping[str, str | None]] = {}


class NoCase(ValueError):
    """A request that no case can say. The message says why, and nothing of what was said."""


def case_line(
    made: Captured,
    *,
    expected: bool = False,
    checks: tuple[str, ...] = (),
    more: Mapping[str, str | None] = _NO_MORE,
) -> bytes:
    """One line. Its id is the request's, its strata say where it came from, and `more`. With
    `expected` the answer is what is compared with. NoCase."""
    if made.is_kept_answer and (expected or made.cache_tier != "semantic"):
        raise NoCase("its answer was kept from an earlier request")
    turns = [dict([turn]) for turn in _turns(made)]
    strata = {"route": made.route, "model": made.model, "prompt_version": made.prompt_version}
    if made.is_kept_answer:
        strata["cache"] = made.cache_tier
    strata |= more
    case: dict[str, Any] = {
        "id": made.receipt_id,
        "turns": turns,
        "strata": {name: value for name, value in strata.items() if value},
    }
    if expected:
        if made.cut or made.shortened:
            raise NoCase("its answer is not whole, so nothing can be compared with it")
        case["expected"] = made.answer
    if checks:
        case["checks"] = list(checks)
    return _encode(case) + b"\n"


def case_of(made: Captured, checks: tuple[Check, ...]) -> Case:
    """The request as a case that is checked so. NoCase."""
    return Case(made.receipt_id, turns=_turns(made), checks=checks)


def _turns(made: Captured) -> tuple[tuple[str, str], ...]:
    """NoCase."""
    turns = tuple(_turn(message) for message in _decode(made.messages))
    if not turns:
        raise NoCase("it asks nothing")
    return turns


def _turn(message: dict[str, Any]) -> tuple[str, str]:
    role = message.get("role")
    if role not in ROLES:
        raise NoCase("it has messages that are no turn of a case, such as a tool's")
    if message.get("tool_calls") or message.get("function_call"):
        raise NoCase("it has calls of tools")
    return str(role), _text(message.get("content"))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise NoCase("it has a message without text")
    texts = []
    for part in content:
        text = part if isinstance(part, str) else part.get("text")
        if not isinstance(text, str):
            raise NoCase("it has parts that are no text, such as pictures")
        texts.append(text)
    return "\n".join(texts)
