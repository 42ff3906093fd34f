"""What a kept answer came of, and which kept answers an invalidation means by that."""

import sys
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tidegate.core.cache import Tier

# Of one answer, or one invalidation's value.
MOST_TAGS: Final = 32
MOST_CHARS: Final = 128
# Of whatever else has a name.
_MOST_NAME_CHARS: Final = 512
_POINTER_BYTES: Final = 8
Term = tuple[str, str]


class Mark(Struct, frozen=True, gc=False):
    """What a gateway had heard of invalidations when a request began: the number of the newest in
    its process, and the id of the newest in the stream of the shared store ("": unknown)."""

    number: int = 0
    id: str = ""


BEGINNING: Final = Mark()


class Labels(Struct, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """By which an answer may be invalidated. `entry` is the id of the request whose answer it is,
    `key` that of its key, `model` what its target is configured to ask for, `served` what that said
    it had used. `tags` are the route's and the caller's, `sources` the documents that its caller
    had put into the prompt. `number` and `id` are its request's `Mark`. `places` are
    the partitions in which gateways share the vector of its question. None: not known, or none.
    """

    tier: Tier | None = None
    entry: str | None = None
    route: str | None = None
    release: str | None = None
    team: str | None = None
    customer: str | None = None
    key: str | None = None
    prompt: str | None = None
    version: str | None = None
    target: str | None = None
    model: str | None = None
    served: str | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    number: int = 0
    id: str = ""
    places: tuple[bytes, ...] = ()


class Selector(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Kept answers that have all of what it names. `model` is the one that was asked for or the
    one that answered. `everything` names all of them, and stands alone."""

    tag: str | None = None
    source: str | None = None
    entry: str | None = None
    key: str | None = None
    prompt: str | None = None
    version: str | None = None
    customer: str | None = None
    team: str | None = None
    model: str | None = None
    target: str | None = None
    release: str | None = None
    route: str | None = None
    tier: Tier | None = None
    everything: bool = False

    def terms(self) -> tuple[Term, ...]:
        """What it names, the rarest first; none for everything."""
        told = ((name, getattr(self, name)) for name in NAMES)
        return tuple((name, value) for name, value in told if value is not None)

    def wrong(self) -> str | None:
        """Why it cannot be meant so."""
        terms = self.terms()
        if self.everything:
            return "everything stands alone: name nothing beside it" if terms else None
        if not terms:
            return f"name what is to go: one of {', '.join(NAMES)}; or say everything"
        if self.version is not None and self.prompt is None:
            return "a version is one of a prompt: name the prompt too"
        if self.customer is not None and self.team is None:
            return "a customer is one of a team: name the team too"
        for name, value in terms:
            if name in ("tag", "source") and not is_label(value):
                return f"{name} is a word of 1 to {MOST_CHARS} characters without blanks at its end"
            if not 0 < len(value) <= _MOST_NAME_CHARS:
                return f"{name} has 1 to {_MOST_NAME_CHARS} characters"
        return None

    def matches(self, labels: Labels) -> bool:
        return all(term in labelled(labels) for term in self.terms())

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.terms()) or "everything"


# Of what a selector may name; the first that it does finds it (`core.invalidated`).
NAMES: Final = tuple(name for name in Selector.__struct_fields__ if name != "everything")
EVERYTHING: Final = Selector(everything=True)
_SINGLE: Final = tuple(name for name in NAMES if name not in ("tag", "source", "model"))


def labelled(labels: Labels) -> Iterator[Term]:
    """All that an answer may be invalidated by."""
    for name in _SINGLE:
        value = getattr(labels, name)
        if value is not None:
            yield name, value
    for model in (labels.model, labels.served):
        if model is not None:
            yield "model", model
    for tag in labels.tags:
        yield "tag", tag
    for source in labels.sources:
        yield "source", source


def is_label(text: str) -> bool:
    """Whether it may be a tag or a source."""
    return 0 < len(text) <= MOST_CHARS and text.isprintable() and text == text.strip()


def size_of(labels: Labels) -> int:
    """What its tags and sources take in memory, in bytes: who asks says how many there are."""
    return sum(sys.getsizeof(it) + _POINTER_BYTES for it in (*labels.tags, *labels.sources))
