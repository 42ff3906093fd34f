"""A prompt: a text with places for its caller's values, of which versions are kept and never
changed, and tags that point at one version each."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal, Protocol

from msgspec import Struct

from tidegate.core.conversation import Role

STABLE: Final = "stable"
# Of prompts, versions, tags and partials: nothing that a file system or a URL reads otherwise.
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_RESERVED: Final = frozenset(("con", "prn", "aux", "nul"))
InputKind = Literal["string", "number", "integer", "boolean", "array", "object"]


def is_name(text: str) -> bool:
    """Whether a prompt, version, tag or partial may be called so."""
    return (
        _NAME.fullmatch(text) is not None
        and ".." not in text
        and text.partition(".")[0] not in _RESERVED
    )


class Input(Struct, frozen=True, omit_defaults=True, gc=False):
    """One value that the caller sends. `default` is JSON text; without one it is required."""

    name: str
    kind: InputKind = "string"
    default: str | None = None
    description: str | None = None


class Turn(Struct, frozen=True, gc=False):
    """One message of the prompt: `source` is its template."""

    role: Role
    source: str


class Pin(Struct, frozen=True, omit_defaults=True, gc=False):
    """A model that the version is meant for: as its provider calls it, and the exact snapshot."""

    model: str
    snapshot: str | None = None


class Output(Struct, frozen=True, omit_defaults=True, gc=False):
    """What its answers must be: see `core.plan.Contract`, whose members of the same names it
    fills where the route asks nothing. `json_schema` is JSON."""

    json: bool = False
    json_schema: str | None = None
    tools: bool = False
    regex: str | None = None
    max_chars: int | None = None


class Prompt(Struct, frozen=True, omit_defaults=True, gc=False):
    """One version of a prompt, whole: what a request is rendered by.

    `digest` is the SHA-256 (hex) of all that changes what a model is asked: turns, partials,
    inputs, parameters, tools, pins and output, not its owner or suites. `partials` are the sources
    that templates include, by `NAME/VERSION`. `parameters` are members of a request's body (JSON)
    by their names in OpenAI's chat completions, `tools` a JSON array as it is there.
    """

    name: str
    version: str
    digest: str
    turns: tuple[Turn, ...]
    inputs: tuple[Input, ...] = ()
    partials: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    tools: str | None = None
    pins: tuple[Pin, ...] = ()
    output: Output = Output()
    owner: str | None = None
    suites: tuple[str, ...] = ()


class Tagged(Struct, frozen=True):
    """One prompt as gateways know it: its tags, and every version that a tag or a route points at,
    by version. Swapped whole, so that no request sees half of a flip."""

    name: str
    tags: dict[str, str] = {}
    versions: dict[str, Prompt] = {}

    def at(self, tag: str) -> Prompt | None:
        """The version that a tag points at."""
        version = self.tags.get(tag)
        return None if version is None else self.versions.get(version)


class Stood(Struct, frozen=True):
    """Where `stable` of a prompt pointed, and what that version said."""

    version: str
    digest: str


class RoutePrompt(Struct, frozen=True, omit_defaults=True):
    """Which prompt a route asks its models by: the version that `tag` points at, or the one that is
    named. A caller may ask for one of the tags in `allowed` instead."""

    name: str
    tag: str = STABLE
    version: str | None = None
    allowed: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """What its requests are asked by, or may be: a version that is named leaves no own tag."""
        return self.allowed if self.version is not None else (self.tag, *self.allowed)


class TagFlip(Struct, frozen=True, omit_defaults=True):
    """A revision of a tag, in the order of `seq`: it points at `version` from now on, whatever
    `tags.yaml` says, which said `base` of it then. `version` None: the tag is gone. Another word of
    the file than these two supersedes it."""

    seq: int
    id: str
    prompt: str
    tag: str
    version: str | None
    base: str | None
    author: str
    reason: str
    at_s: float


class PromptSource(Protocol):
    """Where prompts are read from. What it cannot read now it knows as it was last."""

    def names(self) -> Iterable[str]: ...

    def tags(self, name: str) -> Mapping[str, str] | None:
        """As declared; None where there is no such prompt."""

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        """What may be served of the tags that are declared, but for those that were `moved`."""

    def version(self, name: str, version: str) -> Prompt:
        """ValueError says what is wrong with it, and where."""
