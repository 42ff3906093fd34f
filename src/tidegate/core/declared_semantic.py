"""`cache.semantic` of a route: answers to questions that mean the same."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.cache import Deterministic, Mode, Scope, SemanticCache, Where
from tidegate.core.declared_scalars import Name, Seconds, Size

_DEFAULT: Final = SemanticCache()
# A reply of the shared store is read whole.
MOST_ENTRY_BYTES: Final = 1024 * 1024


class DeclaredSemantic(Struct, frozen=True, omit_defaults=True):
    """Another wording of the same question, the same answer: where all else that was asked is
    equal, the nearest kept question is near enough, and nothing speaks against it."""

    mode: Annotated[
        Mode,
        Meta(
            description="`shadow`: what would have been given is noted on the receipt, and the "
            "request goes on to its provider. `on`: it is given."
        ),
    ] = _DEFAULT.mode
    encoder: Annotated[
        Name,
        Meta(description="What makes a vector of a question, in the gateway; a name of a plug."),
    ] = _DEFAULT.encoder
    prefilter: Annotated[
        Name | None,
        Meta(
            description="A fast encoder that is asked first whether anything kept is near at all. "
            "Default: none."
        ),
    ] = _DEFAULT.prefilter
    threshold: Annotated[
        float | None,
        Meta(
            ge=0,
            le=1,
            description="The least cosine that is taken for the same, written by hand. Default: "
            "what `tidegate cache calibrate` has learnt; without either nothing is given.",
        ),
    ] = _DEFAULT.threshold
    target: Annotated[
        float,
        Meta(
            ge=0.5,
            lt=1,
            extra={"read": "share"},
            description="The precision whose lower 95 % bound a learnt threshold keeps to.",
        ),
    ] = _DEFAULT.target
    ttl_s: Annotated[Seconds, Meta(description="How long an answer is given.")] = field(
        default=_DEFAULT.ttl_s, name="ttl"
    )
    max_entry_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=MOST_ENTRY_BYTES,
            extra={"read": "size"},
            description="The longest answer that is kept.",
        ),
    ] = field(default=_DEFAULT.max_entry_bytes, name="max_entry")
    max_bytes: Annotated[
        Size, Meta(description="The most that is kept of the route, as of `exact`.")
    ] = field(default=_DEFAULT.max_bytes, name="max")
    deterministic: Annotated[
        Deterministic,
        Meta(
            description="Which requests: those with `temperature: 0` and a `seed`, or any, as of "
            "`exact`."
        ),
    ] = _DEFAULT.deterministic
    scope: Annotated[
        Scope,
        Meta(
            description="Who shares an answer: each team's customer (`tenant`), each key, or "
            "everybody who may use the `route`."
        ),
    ] = _DEFAULT.scope
    store: Annotated[
        Where,
        Meta(
            description="`memory`, `disk` or `shared`, as of `exact`; with `shared` vectors are in "
            "`storage.vectors`."
        ),
    ] = _DEFAULT.store

    def semantic(self) -> SemanticCache:
        """What gateways obey."""
        return SemanticCache(
            self.mode,
            self.encoder,
            self.prefilter,
            self.threshold,
            self.target,
            self.ttl_s,
            self.max_entry_bytes,
            self.max_bytes,
            self.deterministic,
            self.scope,
            self.store,
        )
