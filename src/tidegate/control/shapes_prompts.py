"""Prompts over the control API. Times are wall-clock seconds; bodies forbid unknown fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.control.shapes_budgets import Reason
from tidegate.core.prompt import TagFlip

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class TagView(Struct, frozen=True):
    """Where a tag points; `declared` is what `tags.yaml` says, where a flip says otherwise."""

    tag: str
    version: str
    digest: str | None
    declared: str | None = None
    flip: TagFlip | None = None


class PromptView(Struct, frozen=True):
    """One prompt as it is served. `routes` name it, with the version that they are asked by."""

    name: str
    versions: tuple[str, ...]
    tags: list[TagView]
    routes: dict[str, str | None]
    owner: str | None = None


class PromptList(Struct, frozen=True):
    """`commit` is what was read last of the repository; `problems` are what of it is wrong."""

    repository: str | None
    ref: str | None
    commit: str | None
    prompts: list[PromptView]
    problems: list[str]


class NewFlip(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where a tag is to point; `version` null takes it away. `uncertified`: `stable` too, without a
    certificate."""

    version: Name | None
    reason: Reason
    uncertified: bool = False


class Flipped(Struct, frozen=True):
    """`waiting_for` are gateways that do not obey it yet."""

    flip: TagFlip
    waiting_for: list[str]


class FlipList(Struct, frozen=True):
    """The newest first."""

    flips: list[TagFlip]
