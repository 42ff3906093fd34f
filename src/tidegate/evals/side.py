"""One side of a run: which prompt is asked of which route, with which parameters; its requests."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from tidegate.core.grading import Case
from tidegate.core.prompt import Prompt
from tidegate.prompts.render import Renderer

SideName = Literal["baseline", "candidate"]
_BREAK: Final = "\n\n"
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Side(Struct, frozen=True, omit_defaults=True):
    """`prompt` None: the route is asked as it stands, with its own prompt where it has one.
    `parameters` are members of the request's body as JSON; they stand before the prompt's own."""

    route: str
    prompt: Prompt | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        said = "" if self.prompt is None else f"{self.prompt.name}@{self.prompt.version} at "
        with_ = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{said}{self.route}" + (f" with {with_}" if with_ else "")

    def digest(self) -> str:
        """SHA-256 (hex) of all that decides what is asked."""
        prompt = None if self.prompt is None else self.prompt.digest
        return sha256(_encode([self.route, prompt, sorted(self.parameters)])).hexdigest()


class Writer:
    """Writes the requests of one side. RenderRefused when the prompt cannot be rendered at all.

    `spare` are inputs that only the other side's prompt has: a case gives them for that one.
    """

    def __init__(self, side: Side, spare: frozenset[str] = frozenset()) -> None:
        self.side = side
        self._renderer = None if side.prompt is None else Renderer(side.prompt)
        self._spare = spare
        self._fixed = _fixed(side)

    def body(self, case: Case) -> bytes:
        """The request as OpenAI's chat completions have it. RenderRefused where the case lacks what
        the prompt needs."""
        members = dict(self._fixed)
        turns = [{"role": role, "content": text} for role, text in case.turns]
        if self._renderer is None:
            if case.variables:
                members["prompt"] = {"variables": case.variables}
            if turns:
                members["messages"] = turns
            return _encode(members)
        given = {name: it for name, it in case.variables.items() if name not in self._spare}
        rendered = self._renderer.render(given)
        system = _BREAK.join(it.text for it in rendered if it.role == "system")
        said = [{"role": it.role, "content": it.text} for it in rendered if it.role != "system"]
        head = [{"role": "system", "content": system}] if system else []
        members["messages"] = [*head, *said, *turns]
        return _encode(members)


def writers(sides: Mapping[SideName, Side]) -> dict[SideName, Writer]:
    """One for each side. RenderRefused."""
    inputs = {name: _inputs(side) for name, side in sides.items()}
    everything = frozenset().union(*inputs.values())
    return {
        name: Writer(side, frozenset() if side.prompt is None else everything - inputs[name])
        for name, side in sides.items()
    }


def _inputs(side: Side) -> frozenset[str]:
    return frozenset() if side.prompt is None else frozenset(it.name for it in side.prompt.inputs)


def _fixed(side: Side) -> dict[str, object]:
    members: dict[str, object] = {"model": side.route}
    prompt = side.prompt
    if prompt is not None:
        # The route's own prompt is not added to it, and receipts say which version was asked.
        members["prompt"] = {"rendered": f"{prompt.name}@{prompt.version}"}
        members |= {name: Raw(value.encode()) for name, value in prompt.parameters}
        if prompt.tools is not None:
            members["tools"] = Raw(prompt.tools.encode())
    return members | {name: Raw(value.encode()) for name, value in side.parameters}
