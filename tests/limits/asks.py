"""Requests as limits see them."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.limit import Demand
from tidegate.core.plan import Limit
from tidegate.core.receipt import Endpoint, Receipt


def receipt(endpoint: Endpoint = "chat", **fields: Any) -> Receipt:
    return Receipt("r", 0.0, "g", endpoint, **fields)


def demand(
    body: dict[str, Any] | None = None, endpoint: Endpoint = "chat", **fields: Any
) -> Demand:
    """A request of 100 input tokens and up to 50 output tokens, unless it is said otherwise."""
    text = msgspec.json.encode(body or {"messages": [{"role": "user", "content": "hello"}]})
    members = msgspec.json.decode(text, type=dict[str, Raw])
    ceiling = fields.pop("output_ceiling_tokens", None)
    ask = Ask(endpoint, text, members, "m", output_ceiling_tokens=ceiling)
    bounds = {"input_tokens": 100, "input_exact": True, "output_tokens": 50, "choices": 1}
    return Demand(ask, receipt(endpoint), **{**bounds, **fields})


def limit(kind: str, amount: int = 1000, *scope: str, **fields: Any) -> Limit:
    return Limit("the-limit", kind, amount, scope, **fields)
