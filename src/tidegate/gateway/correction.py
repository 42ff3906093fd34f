"""correction: a request sent once more, with the answer that broke its contract and what is wrong
with it. Both stand at its end as two more turns, in the caller's own dialect."""

from typing import Final

import msgspec
from msgspec.structs import replace

from tidegate.core.ask import Ask, content_name
from tidegate.core.plan import Contract
from tidegate.core.plugs import Dialect
from tidegate.gateway.contract import Following, Verdict

# As much of an answer, and of a schema, as is shown to the model again.
MAX_SHOWN_CHARS: Final = 6_000
MAX_SCHEMA_CHARS: Final = 2_000
# Some wires take no turn that says nothing.
_NOTHING: Final = "(nothing)"
_encode = msgspec.json.Encoder().encode


def corrected(ask: Ask, dialect: Dialect, following: Following) -> Ask:
    """`ask` with the bad answer and what is wrong with it shown to the model."""
    verdict = following.verdict
    assert verdict is not None  # noqa: S101 - something is wrong with it
    name = content_name(ask)
    turns = dialect.with_turns(ask.members[name], _said(following), _told(verdict, following))
    members = {**ask.members, name: turns}
    return replace(ask, members=members, body=_encode(members), output_bound_tokens=None)


def _said(following: Following) -> str:
    """What the model wrote, calls of tools as text: as calls some wires would take them only with
    what their model thought before, or not at all."""
    content, calls = following.shown()
    parts = [content, *(f"{name}({arguments})" for name, arguments in calls)]
    said = "\n".join(part for part in parts if part.strip()).strip()
    return _cut(said, MAX_SHOWN_CHARS) or _NOTHING


def _told(verdict: Verdict, following: Following) -> str:
    """For the model: what is wrong, what is wanted, and that it may answer once more."""
    asked = " ".join(_asked(following.contract))
    return (
        f"That answer cannot be used: {_wrong(verdict)}. {asked} "
        "Answer again, the whole answer from its beginning, and say nothing of this message."
    )


def _wrong(verdict: Verdict) -> str:
    if verdict.validity == "truncated":
        return "it was cut off because it was too long; a shorter one is wanted"
    if verdict.validity == "empty":
        return "it was empty"
    where = f" at {verdict.path}" if verdict.path else ""
    if verdict.validity == "malformed":
        at = "" if verdict.at_bytes is None else f" from byte {verdict.at_bytes} on"
        return f"it is not valid JSON{where}{at}"
    return f"it does not keep the rule `{verdict.rule}`{where}"


def _asked(contract: Contract) -> list[str]:
    asked = []
    if contract.json_schema is not None and len(contract.json_schema) <= MAX_SCHEMA_CHARS:
        asked.append(f"It must be one JSON value of this JSON Schema: {contract.json_schema}.")
    elif contract.json or contract.json_schema is not None:
        asked.append("It must be one JSON value, with nothing before or after it.")
    if contract.regex is not None:
        asked.append(f"It must match the regular expression {contract.regex}.")
    if contract.tools:
        asked.append("Call only tools that you were given, with arguments that fit their schemas.")
    if contract.max_chars < Contract().max_chars:
        asked.append(f"It must be no longer than {contract.max_chars} characters.")
    return asked


def _cut(text: str, most_chars: int) -> str:
    """Its beginning and, where it went wrong, its end."""
    if len(text) <= most_chars:
        return text
    end = most_chars // 4
    return f"{text[: most_chars - end]}\n[...]\n{text[-end:]}"
