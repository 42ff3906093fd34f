"""What of one attempt's answer is kept for capture, as it is relayed."""

from typing import Final

from tidegate.core.ask import Said
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Follower

MAX_CALLS: Final = 128
# Kept beyond what a route keeps, so that nothing which is taken out is cut in two before it is.
SPARE_CHARS: Final = 512


class Heard:
    """core.plugs.Follower in front of another: the first choice's text and calls. `shortened` says
    that it went on beyond `most_chars`."""

    def __init__(self, most_chars: int, inner: Follower | None = None) -> None:
        self._left_chars = most_chars + SPARE_CHARS
        self._inner = inner
        self._parts: list[str] = []
        self._names: dict[int, str] = {}
        self._arguments: dict[int, list[str]] = {}
        self.shortened = False

    def content(self, choice: int, text: str) -> Failure | None:
        if choice == 0:
            self._keep(self._parts, text)
        return None if self._inner is None else self._inner.content(choice, text)

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        if choice == 0 and call < MAX_CALLS:
            if name:
                self._names[call] = name
            self._keep(self._arguments.setdefault(call, []), arguments)
        return None if self._inner is None else self._inner.called(choice, call, name, arguments)

    def take(self, said: Said) -> None:
        """A whole answer's."""
        self._keep(self._parts, said.content)
        for call, (name, arguments) in enumerate(said.calls[:MAX_CALLS]):
            self._names[call] = name
            self._keep(self._arguments.setdefault(call, []), arguments)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (self._names.get(call, ""), "".join(parts))
            for call, parts in sorted(self._arguments.items())
        )

    def _keep(self, parts: list[str], text: str) -> None:
        if len(text) > self._left_chars:
            self.shortened = True
            text = text[: self._left_chars]
        self._left_chars -= len(text)
        if text:
            parts.append(text)
