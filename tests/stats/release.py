"""Receipts and blocks of a release, for tests."""

from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.rollout import HarmMetric, Rollout

ERRORS = (HarmMetric("error", 0.02),)


def rollout(*harm: HarmMetric, **members) -> Rollout:
    return Rollout("chat/next", "chat", "", "me", {}, harm=harm, **members)


def receipt(arm: str = "stable", unit: int | None = 1, **members) -> Receipt:
    """A good answer."""
    usual = {
        "rollout": "chat/next",
        "unit_kind": "user",
        "output_tokens": 100,
        "cost_nanousd": 1000,
        "ttft_s": 0.5,
        "total_s": 2.0,
        "itl_mean_s": 0.02,
        "finish_reason": "stop",
        "validity": "valid",
        "model_refusal": "none",
        "attempts": [Attempt("first", "r0", 0.0)],
    }
    return Receipt("r", 0.0, "g", "chat", arm=arm, unit=unit, **{**usual, **members})


def arm(judged: int, bad: int, name: str = "error") -> ArmBlock:
    """Requests of as many units, judged by one metric."""
    return ArmBlock(
        assigned=judged,
        units=judged,
        fresh=judged,
        bad=bad,
        tallies={name: Tally(judged, bad)},
    )


def amounts(values: list[float], name: str = "output_tokens") -> ArmBlock:
    moments = Moments()
    for value in values:
        moments.add(value)
    size = len(values)
    return ArmBlock(assigned=size, units=size, fresh=size, moments={name: moments})


def block(stable: ArmBlock, canary: ArmBlock, weight: float | None = 0.1) -> Block:
    return Block("chat/next", 1, 0.0, 10.0, weight, stable, canary)
