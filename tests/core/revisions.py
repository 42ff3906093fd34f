"""Revisions and releases of the route `chat`, for tests of compiling."""

from typing import Any

from tidegate.core.change import Kind, Revision
from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.rollout import Rollout
from tidegate.core.route_members import members_of, moved_names

ROLLOUT = "chat/longer"


def members(**moved: Any) -> dict[str, Any]:
    return members_of(DeclaredRoute(**moved), moved_names(moved))


def rollout(name: str = "longer", /, **moved: Any) -> Rollout:
    return Rollout(f"chat/{name}", "chat", f"digest of {name}", "ana", members(**moved))


def revision(seq: int, kind: Kind, file: Declared, about: str | None = ROLLOUT, **moved: Any):
    """One about a release; `moved` are its own members. Its base is what `file` says of them."""
    own = members(**moved)
    names = own or moved_names(["target", "system_prompt"])
    base = members_of(file.routes["chat"], names)
    salt = f"salt {seq}" if kind == "start" else None
    fields = (seq, f"rev-{seq}", kind, "chat", "operator:ana", "because", 1.0)
    return Revision(*fields, rollout=about, members=own, base=base, salt=salt)
