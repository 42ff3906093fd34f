"""Changes and revisions: the two ways in which what requests obey moves away from the plan file.

A change holds a lever for a while and ends by itself. A revision moves the declared state and
stands until it is superseded. Neither is ever edited.
"""

from typing import Literal

from msgspec import Raw, Struct

from tidegate.core.signal import Signal


class Change(Struct, frozen=True, omit_defaults=True):
    """One lever, held. Times are wall-clock seconds.

    With `lease_s` it lasts while its loop renews it, and so long after the last renewal, on each
    gateway's own monotonic clock; without, until `until_s`. Exactly one of the two is there.
    `epoch` is the leadership in which it was set. `author` is `controller:NAME` or `operator:NAME`.
    """

    id: str
    lever: str
    scope: str
    value: float
    reason: str
    author: str
    from_s: float
    until_s: float | None = None
    lease_s: float | None = None
    epoch: int = 0
    approved_by: tuple[str, ...] = ()
    evidence: tuple[Signal, ...] = ()

    def remaining_s(self, now_s: float, renewed_at_s: float) -> float:
        """How long it still holds unless it is renewed: never longer than it was meant to, whatever
        was done to the clock. `renewed_at_s` is when its leadership renewed its leases last."""
        if self.lease_s is not None:
            begun_s = max(renewed_at_s, self.from_s)
            return min(max(self.lease_s - (now_s - begun_s), 0.0), self.lease_s)
        if self.until_s is None:
            return 0.0
        return min(max(self.until_s - now_s, 0.0), self.until_s - self.from_s)


# start: a release's candidate joins its route. promote: its members are the route's from now on.
# withdraw: a rollback, it never serves again. restore: a rollback after its promotion.
# retire: what it replaced is no longer kept warm. set: a person's decision on a route's members.
Kind = Literal["start", "promote", "withdraw", "restore", "retire", "set"]


class Revision(Struct, frozen=True, omit_defaults=True):
    """A permanent move of a route's declared state, in the order of `seq`.

    `members` are those of the route's declaration that it moves (JSON, as the plan file has them
    below `routes.NAME`), `base` what the file said of them then. `salt` is a start's own. A file
    that says something else than `base` of them supersedes it.
    """

    seq: int
    id: str
    kind: Kind
    route: str
    author: str
    reason: str
    at_s: float
    rollout: str | None = None
    members: dict[str, Raw] = {}
    base: dict[str, Raw] = {}
    salt: str | None = None
    epoch: int = 0
    evidence: tuple[Signal, ...] = ()
