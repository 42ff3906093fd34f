"""Saved pages and what they say."""

from pathlib import Path

from tidegate.core import plugs
from tidegate.core.engine_signals import EngineReader, Found, Parts

FOLDER = Path(__file__).parent / "pages"


def reader(name: str) -> EngineReader:
    found: EngineReader = plugs.load("engines", name)
    return found


def page(name: str) -> bytes:
    return (FOLDER / f"{name}.prom").read_bytes()


def told(engine: str, saved: str) -> dict[str, tuple[str, float, float | None]]:
    """Of each signal that the page has: which name answered, its parts' sum, what it is out of."""
    signals = reader(engine).read(page(saved)).signals
    return {
        name: (one.alias, total(one.parts), None if one.per is None else total(one.per))
        for name, one in signals.items()
        if isinstance(one, Found)
    }


def total(parts: Parts) -> float:
    return sum(parts.values())
