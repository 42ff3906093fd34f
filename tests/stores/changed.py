"""Changes and revisions to store."""

from typing import Any

from tidegate.core.change import Change, Revision

NOON_S = 1_790_000_000.0


def change(change_id: str = "c1", **fields: Any) -> Change:
    plain: dict[str, Any] = {
        "id": change_id,
        "lever": "target_off",
        "scope": "small",
        "value": 1.0,
        "reason": "it fails",
        "author": "operator:ann",
        "from_s": NOON_S,
        "until_s": NOON_S + 600,
    }
    return Change(**{**plain, **fields})


def leased(change_id: str = "c1", **fields: Any) -> Change:
    plain: dict[str, Any] = {
        "lever": "release_weight",
        "scope": "chat",
        "value": 0.05,
        "author": "controller:release",
        "until_s": None,
        "lease_s": 60.0,
        "epoch": 1,
    }
    return change(change_id, **{**plain, **fields})


def revision(revision_id: str = "r1", **fields: Any) -> Revision:
    plain: dict[str, Any] = {
        "seq": 0,
        "id": revision_id,
        "kind": "set",
        "route": "chat",
        "author": "operator:ann",
        "reason": "cheaper",
        "at_s": NOON_S,
    }
    return Revision(**{**plain, **fields})
