"""An address that is asked: texts go out as JSON, and a verdict comes back.

    {"guardrail": NAME, "route": NAME, "side": "input", "request_id": ID, "texts": ["..."]}

    {"action": "block", "types": ["toxicity"]}
    {"action": "redact", "texts": ["..."]}

`action` is `allow`, `block`, `redact` (with as many texts, to stand in place of those) or `mark`.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate.core.guardrail import SIDES, Action, Detector, Guardrail, Side, Verdict
from tidegate.text.strict_json import UNREADABLE

_MOST_TYPES: Final = 16


class _Said(Struct):
    action: Literal["allow", "block", "redact", "mark"]
    types: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=_MOST_TYPES)
    ] = ()
    texts: tuple[str, ...] = ()


_decode: Final = msgspec.json.Decoder(_Said).decode


class _Http:
    reads = frozenset({"url", "credential", "ca_file", "streams"})
    needs = frozenset({"url"})
    actions: tuple[Action, ...] = ("block", "redact", "mark")
    types: tuple[str, ...] = ()
    sides = SIDES
    remote = True

    def complaint(self, guardrail: Guardrail) -> str | None:
        if guardrail.actions:
            return "what is done about a type is for the address to say: remove `actions`"
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        raise ValueError(f"{guardrail.name} is asked, and does not look itself")

    def question(
        self, guardrail: Guardrail, side: Side, route: str, texts: Sequence[str], request_id: str
    ) -> bytes:
        told = {"guardrail": guardrail.name, "route": route, "side": side}
        return msgspec.json.encode({**told, "request_id": request_id, "texts": texts})

    def verdict(self, status: int, body: bytes, asked: int) -> Verdict:
        if status != 200:
            raise ValueError(f"status {status}")
        try:
            said = _decode(body)
        except UNREADABLE:
            raise ValueError("its answer is no verdict") from None
        if said.action == "redact" and len(said.texts) != asked:
            raise ValueError("its verdict has not as many texts as it was asked about")
        return Verdict(said.action, said.types, said.texts)


plug = _Http()
