"""Which models think without showing it: of these, what is seen of an answer is not all of it."""

from typing import Final

# Models by the beginning of their names, as their providers have published it.
_HIDING: Final = (
    *("o1", "o3", "o4-mini", "gpt-5", "codex-mini"),
    *("gemini-2.5", "gemini-3", "grok-4"),
)
_SHOWING: Final = ("gpt-5-chat",)
# What may follow a model's name: its version, or how a provider serves it (`:online`, `@001`).
_NEXT: Final = ("", "-", ".", ":", "@")


def hides_reasoning(model: str) -> bool:
    """Whether tokens of this model may be charged that no text tells of."""
    name = model.rpartition("/")[2]
    return _begins(name, _HIDING) and not _begins(name, _SHOWING)


def _begins(name: str, starts: tuple[str, ...]) -> bool:
    return any(name.startswith(one) and name[len(one) :][:1] in _NEXT for one in starts)
