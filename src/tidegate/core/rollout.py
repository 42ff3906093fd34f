"""A rollout: one release on its way onto a route, as its file says it, never changed once made."""

from typing import Final, Literal

from msgspec import Raw, Struct

from tidegate.core.arm import UnitKind, dial_scope
from tidegate.core.harm import HARM

NoDataRule = Literal["fail", "pause", "ignore"]
# The one of `gates` that control decides by itself.
CERTIFICATE: Final = "certificate"


class Step(Struct, frozen=True, omit_defaults=True):
    """Weight is the share of units. `smoke`: only hard limits are judged."""

    weight: float
    min_units: int = 200
    min_s: float = 600.0
    max_s: float = 86_400.0
    smoke: bool = False


DEFAULT_STEPS = (
    Step(0.01, min_units=20, smoke=True),
    Step(0.05),
    Step(0.20),
    Step(0.50),
    Step(1.0),
)


class HarmMetric(Struct, frozen=True, omit_defaults=True):
    """One guard. `margin` is how much worse is still no harm: points of a share (0.02), or a ratio
    (1.15) where the metric is one of amounts. `weight` is its part of the error allowed. One that
    need not be safe holds back a release that is shown to be worse, and none of which too little is
    known."""

    name: str
    margin: float
    weight: float = 1.0
    no_data: NoDataRule = "pause"
    must_be_safe: bool = True


# What guards a release that names no metrics, and each one's part of the error allowed: what users
# see break has the larger ones.
_USUAL = {
    "error": 3.0,
    "refusal": 2.0,
    "invalid": 2.0,
    "interrupted": 1.0,
    "fallback": 1.0,
    "ttft": 2.0,
    "output_tokens": 2.0,
    "cost": 1.0,
}
DEFAULT_HARM = tuple(HarmMetric(name, HARM[name].margin, weight) for name, weight in _USUAL.items())
# What is found of answers afterwards, likewise: of a few of them, so that none has to be safe.
_USUAL_LATE = {"quality": 2.0, "follow_up": 0.5, "thumbs_down": 0.5}


def late_guard(name: str) -> HarmMetric:
    """That metric, as it guards a release that names none."""
    weight = _USUAL_LATE[name]
    return HarmMetric(name, HARM[name].margin, weight, "ignore", must_be_safe=False)


class HardLimits(Struct, frozen=True, omit_defaults=True):
    """What acts at once, without statistics."""

    bad_of_first: tuple[int, int] = (10, 20)
    invalid_share: float = 0.5
    invalid_least: int = 20
    cost_ratio: float = 3.0


class Shadow(Struct, frozen=True, omit_defaults=True):
    """Copies of requests whose answers nobody sees, before any user does."""

    share: float = 0.05
    min_requests: int = 50
    max_s: float = 3600.0
    budget_nanousd: int = 1_000_000_000


class Approvals(Struct, frozen=True, omit_defaults=True):
    """How many people say yes before it starts, before each higher weight, before promotion."""

    start: int = 0
    step: int = 0
    promotion: int = 0


class Runtime(Struct, frozen=True, omit_defaults=True):
    """What of the serving side is other than it was; told with the release, and on its page."""

    model_snapshot: str | None = None
    runtime: str | None = None
    tokenizer: str | None = None
    quantisation: str | None = None
    scheduler: dict[str, str] = {}


class Rollout(Struct, frozen=True, omit_defaults=True):
    """`id` is `route/name`. `members` are those of the route's declaration that it changes, as the
    plan file would have them (JSON). `digest` covers all of it: a file that says something else
    under the same id is refused once it has been created. Times are in seconds.

    `units` are the kinds that are looked for, in this order. `never` and `always` are keys, teams
    or customers that are no part of the comparison. `orthogonal`: it has one of the route's lanes,
    and another such release may be under way in the other.
    """

    id: str
    route: str
    digest: str
    owner: str
    members: dict[str, Raw]
    why: str = ""
    runtime: Runtime = Runtime()
    units: tuple[UnitKind, ...] = ("experiment", "user", "conversation", "key", "request")
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    shadow: Shadow | None = None
    steps: tuple[Step, ...] = DEFAULT_STEPS
    harm: tuple[HarmMetric, ...] = ()
    harm_alpha: float = 0.05
    safe_alpha: float = 0.05
    hard: HardLimits = HardLimits()
    approvals: Approvals = Approvals()
    soak_s: float = 3600.0
    business_hours: str | None = None
    labels: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    orthogonal: bool = False

    @property
    def scope(self) -> str:
        """What its dials are held for."""
        return dial_scope(self.route, self.id, in_lane=self.orthogonal)
