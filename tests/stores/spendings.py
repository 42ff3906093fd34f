"""Random spending, and what a budget counts of it, said as plainly as it can be."""

import random
from typing import get_args

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.stores import rig

from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.limit import ATTRIBUTE, CALLER_DIMENSIONS, SEPARATOR, TARGET_DIMENSIONS
from tidegate.core.plan import Limit, PeriodUnit
from tidegate.core.receipt import Receipt

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"),
)
SCOPES: tuple[tuple[str, ...], ...] = (
    *((), ("key",), ("team",), ("customer",), ("route",), ("model",), ("provider",)),
    *(("environment", "team"), ("key", "route"), ("target",)),
    *(("end_user",), ("session",), ("trace",), ("end_user", "team")),
    *(("attribute.project",), ("attribute.project", "key"), ("prompt",)),
    *(("target", "model"), ("end_user", "target"), ("attribute.project", "provider")),
)
ONLY: tuple[tuple[tuple[str, str], ...], ...] = (
    *((), (("team", "blue"),), (("route", "fast"), ("team", "red")), (("session", "s1"),)),
    *((("attribute.project", "x"),), (("target", "small"),), (("provider", "p2"),)),
)
LIMITS = st.builds(
    Limit,
    name=st.just("budget"),
    kind=st.just("spend"),
    amount=st.just(10**15),
    scope=st.sampled_from(SCOPES),
    only=st.sampled_from(ONLY),
    unit=st.sampled_from(get_args(PeriodUnit)),
    time_zone=st.sampled_from(ZONES),
)
_FIELDS = {**CALLER_DIMENSIONS, **TARGET_DIMENSIONS}


def elsewhere(draw: random.Random) -> list[EarlierCost] | None:
    """What attempts before the last cost; they may say more than all of them together."""
    costs = [
        EarlierCost(
            draw.choice([-3, 0, 1, 40, 10**6, 2 * 10**9]),
            draw.choice(["large", "tiny"]),
            draw.choice([None, "p2"]),
            draw.choice([None, "m", "n"]),
        )
        for _ in range(draw.choice([0, 0, 1, 2]))
    ]
    return costs or None


def some(draw: random.Random, at_s: float) -> Receipt:
    """A receipt whose names are few, so that many are alike."""
    project = draw.choice([None, "x", "y"])
    cost = draw.choice([None, 0, 1, 10**9, draw.randrange(10**6)])
    return rig.receipt(
        at_s,
        key_id=draw.choice(["aaaa0000", "bbbb0000"]),
        team=draw.choice([None, "blue", "red"]),
        customer=draw.choice([None, "acme"]),
        end_user=draw.choice([None, "u1", "u2"]),
        session_id=draw.choice([None, "s1"]),
        trace_id=draw.choice([None, "t1"]),
        environment=draw.choice([None, "test"]),
        route=draw.choice(["fast", "slow"]),
        target=draw.choice([None, "small", "large"]),
        model_wanted=draw.choice([None, "m"]),
        attributes=None if project is None else {"project": project, "other": "x"},
        prompt_fingerprint=draw.choice([None, "f0f0"]),
        cost_nanousd=cost,
        most_nanousd=draw.choice([None, 70_000]) if cost is None else None,
        earlier_costs=elsewhere(draw),
        tokens_estimated=draw.choice([True, False]),
    )


def value(receipt: Receipt, dimension: str) -> str | None:
    if dimension.startswith(ATTRIBUTE):
        return (receipt.attributes or {}).get(dimension.removeprefix(ATTRIBUTE))
    found: str | None = getattr(receipt, _FIELDS[dimension])
    return found


def counts(receipt: Receipt, limit: Limit, scope: str) -> bool:
    values = dict(zip(limit.scope, scope.split(SEPARATOR), strict=True)) if limit.scope else {}
    wanted = [*values.items(), *limit.only]
    return all(value(receipt, dimension) == wish for dimension, wish in wanted)


def spent(receipt: Receipt) -> int:
    known = receipt.most_nanousd if receipt.cost_nanousd is None else receipt.cost_nanousd
    return known or 0


def by_target(receipt: Receipt) -> list[tuple[Receipt, int]]:
    """A receipt with one attempt for each that this one tells of, and what that spent."""
    left, found = spent(receipt), []
    for one in receipt.earlier_costs or []:
        part = max(0, min(one.nanousd, left))
        left -= part
        served = {"target": one.target, "provider": one.provider, "model_wanted": one.model_wanted}
        found.append((replace(receipt, earlier_costs=None, **served), part))
    return [*found, (receipt, left)]


def counted(receipt: Receipt, limit: Limit, scope: str) -> int:
    """What a budget counts of it in this scope."""
    return sum(part for one, part in by_target(receipt) if counts(one, limit, scope))


def scopes_of(limit: Limit, receipts: list[Receipt]) -> set[str]:
    """Every scope that an attempt of one of these receipts belongs to."""
    found = set()
    for receipt in (part for one in receipts for part, _ in by_target(one)):
        values = [value(receipt, dimension) for dimension in limit.scope]
        if None not in values:
            found.add(SEPARATOR.join(str(one) for one in values))
    return found
