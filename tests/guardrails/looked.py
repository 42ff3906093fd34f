"""What a guardrail of a plan finds in a text, by its kind."""

from typing import Any

from tidegate.core import plugs
from tidegate.core.guardrail import Guardrail, Kind
from tidegate.text.hints import Hints


def found(kind: str, text: str, **fields: Any) -> list[tuple[str, str]]:
    """(what, which type). Also checks that its hints do not say that there is nothing."""
    plug: Kind = plugs.load("guardrails", kind)
    guardrail = Guardrail(kind, kind, plug.actions[0], **fields)
    assert plug.complaint(guardrail) is None
    detector = plug.detector(guardrail)
    spans = [(text[start:end], name) for start, end, name in detector.find(text)]
    assert not spans or not detector.hints or Hints(detector.hints).any(text)
    return spans


def complaint(kind: str, **fields: Any) -> str | None:
    plug: Kind = plugs.load("guardrails", kind)
    return plug.complaint(Guardrail(kind, kind, plug.actions[0], **fields))
