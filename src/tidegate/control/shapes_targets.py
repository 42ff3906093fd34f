"""Targets over the control API: what the plan says of them, and how gateways see them."""

from typing import Literal

from msgspec import Struct


class ProbeView(Struct, frozen=True):
    """What gateways are to ask a target how often, and what that may cost, in dollars as text."""

    every_s: float
    timeout_s: float
    endpoint: str
    usd_per_hour: str


class TargetView(Struct, frozen=True):
    """One target of the plan in force, and what this machine's gateways report of it.

    `left_alone`, `in_flight`, `parts_up` and `parts_probed` are sums over gateways; `availability`
    is the lowest that one has seen of the last hour's probes. `credential` is that of a provider
    that is asked as an identity: `missing` where a gateway has no token, so that nothing is sent.
    None: none of them has told, or it has none.
    """

    name: str
    provider: str
    model: str
    routes: list[str]
    probe: ProbeView | None
    in_flight: int | None
    left_alone: int | None
    parts_probed: int
    parts_up: int
    availability: float | None
    last_good_at_s: float | None
    ttft_s: float | None
    credential: Literal["ready", "missing"] | None = None


class TargetList(Struct, frozen=True):
    """By name. `gateways` is how many report here."""

    targets: list[TargetView]
    gateways: int
