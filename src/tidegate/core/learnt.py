"""The threshold of a semantic tier that labelled pairs have borne out, and when it counts."""

from msgspec import Struct

from tidegate.core.cache import SemanticCache


class LearntThreshold(Struct, frozen=True, omit_defaults=True):
    """Of `pairs` labelled pairs `all_same` are the same question; of the `taken` ones that score as
    much and pass the veto, `same` are. It holds for the encoder and the veto that it was learnt
    with. `source` says where the pairs are from, `at_s` is wall-clock seconds."""

    id: str
    route: str
    threshold: float
    target: float
    encoder: str
    encoder_version: str
    veto_version: str
    pairs: int
    taken: int
    same: int
    all_same: int
    source: str
    author: str
    reason: str
    at_s: float

    @property
    def made_with(self) -> str:
        return made_with(self.encoder_version, self.veto_version)


def made_with(encoder_version: str, veto_version: str) -> str:
    """What scores and vetoes come from; of another, no threshold holds."""
    return f"{encoder_version} veto-{veto_version}"


def why_not(learnt: LearntThreshold, semantic: SemanticCache) -> str | None:
    """Why it does not count for a tier as it is declared; None: it does. Whether the encoder is
    still of the version that it was, a gateway sees that has it."""
    if semantic.threshold is not None:
        return f"`threshold: {semantic.threshold:g}` is written in the plan file"
    if learnt.encoder != semantic.encoder:
        return f"it was learnt with the encoder {learnt.encoder}, and {semantic.encoder} is asked"
    if learnt.target < semantic.target:
        return f"it was learnt for a precision of {learnt.target:g}, not {semantic.target:g}"
    return None


def with_learnt(semantic: SemanticCache, learnt: LearntThreshold | None) -> SemanticCache:
    """The tier as gateways obey it."""
    if learnt is None or why_not(learnt, semantic) is not None:
        return semantic
    return semantic.at(learnt.threshold, learnt.made_with)
