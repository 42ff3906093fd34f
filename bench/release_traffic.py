"""Simulated traffic of a release in virtual time: users, their arms, what becomes of requests.

Drives the product's own BlockFold and Analysis by receipts. All randomness comes from one seed.
"""

import csv
import functools
import gzip
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tidegate.core.arm import is_canary
from tidegate.core.block import Block
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.rollout import HarmMetric, Rollout
from tidegate.stats.analysis import Analysis, begin, ratio_broken, take
from tidegate.stats.block_fold import BlockFold
from tidegate.stats.verdict import Verdict, verdicts
from tidegate.text.model_refusal import model_refusal

TRACES = Path(__file__).parent.parent.parent / "shared" / "traces"
LOOK_S = 10.0
_FIRST = [Attempt("first", "r0", 0.0)]
_OTHER = [Attempt("first", "r0", 0.0), Attempt("second", "r0", 0.1)]


@functools.cache
def lengths(source: str) -> tuple[tuple[int, int], ...]:
    """Prompt and generated tokens of real requests, or of made ones where no trace lies here."""
    if source == "made":
        draw = random.Random(20_231)
        made = ((draw.lognormvariate(6.5, 1.2), draw.lognormvariate(5, 0.9)) for _ in range(5000))
        return tuple((int(prompt), int(tokens)) for prompt, tokens in made)
    if source == "azure":
        with (TRACES / "azure2023_conv.csv").open() as file:
            rows = list(csv.DictReader(file))
        return tuple((int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in rows)
    with gzip.open(TRACES / f"lengths_{source}.csv.gz", "rt") as zipped:
        rows = list(csv.DictReader(zipped))
    return tuple((int(row["num_prefill_tokens"]), int(row["num_decode_tokens"])) for row in rows)


@functools.cache
def by_length(source: str) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(lengths(source), key=lambda row: row[1]))


@functools.cache
def served_ttft_s() -> tuple[float, ...]:
    """Times to the first token of a real vLLM that was overloaded, from its queue on."""
    path = TRACES / "vllm_run_rtx4090_llama31_8b" / "requests.csv"
    with path.open() as file:
        return tuple(
            float(row["first_token_s"]) - float(row["queued_s"]) for row in csv.DictReader(file)
        )


@functools.cache
def xstest(model: str) -> tuple[str, ...]:
    """What our detector says of a real model's answers to harmless prompts."""
    path = TRACES.parent / "evals" / "refusal" / "xstest_completions_dev.jsonl"
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    return tuple(
        model_refusal(row["completion"].encode()).extent
        for row in rows
        if row["model"] == model and row["prompt_safe"]
    )


@dataclass(frozen=True)
class World:
    """What an arm's requests are like: shares that are bad, factors on amounts and latencies."""

    error: float = 0.02
    refusal: float = 0.02
    invalid: float = 0.02
    interrupted: float = 0.01
    truncated: float = 0.04
    fallback: float = 0.02
    abandon: float = 0.02
    tokens: float = 1.0
    ttft: float = 1.0
    refusals: str | None = None  # a model of XSTest whose answers it gives


@dataclass
class User:
    """`leaning` moves its share of each kind of bad request: 0 to 1, uniform."""

    unit: int
    leaning: tuple[float, ...]
    length: float
    slowness: float


@dataclass(frozen=True)
class Release:
    """One simulated release. `correlation` is within users, `a_user` requests each on average (1:
    none comes back). `steps` are (looks, weight, drift: everything so many times as bad, in both
    arms); `sway` lets it swing from look to look besides. `ttft` is how it is drawn: "prompt" by
    the prompt's length, "served" from a real engine's, else a logarithm's standard deviation. Any
    of so many `nodes` gets a request, and records it."""

    canary: World = World()
    stable: World = World()
    steps: tuple[tuple[int, float, float], ...] = ((120, 0.1, 1.0),)
    a_look: int = 200
    a_user: float = 1.0
    correlation: float = 0.0
    harm: tuple[HarmMetric, ...] = ()
    sway: float = 0.0
    source: str = "azure"
    ttft: str | float = "prompt"
    population: int = 400
    nodes: int = 1


@dataclass
class Outcome:
    """What came of it: the metric that first said `harm` and after how many canary requests, by
    metric after how many it was `safe`."""

    harm: str | None = None
    harm_after: int = 0
    safe_after: dict[str, int] = field(default_factory=dict)
    ratio_broken: bool = False
    verdicts: tuple[Verdict, ...] = ()
    canary_requests: int = 0


KINDS = ("error", "refusal", "invalid", "interrupted", "truncated", "fallback", "abandon")


class Traffic:
    """Requests one after another."""

    def __init__(self, release: Release, seed: int) -> None:
        self.release = release
        self.draw = random.Random(seed)
        self.users: list[User] = []
        self.shares = {
            world: tuple(getattr(world, kind) for kind in KINDS)
            for world in (release.stable, release.canary)
        }
        self.receipt = Receipt(
            "r", 0.0, "g", "chat", rollout="chat/next", unit_kind="user", stream=True
        )

    def user(self) -> User:
        """Whoever asks next: somebody new, or one who was here."""
        draw, release = self.draw, self.release
        if release.a_user > 1 and self.users and draw.random() > 1 / release.a_user:
            return self.users[int(draw.random() * len(self.users))]
        leaning = tuple(draw.random() for _ in KINDS) if release.correlation else ()
        user = User(draw.getrandbits(64), leaning, draw.gauss(0, 1), draw.gauss(0, 1))
        if release.a_user > 1:
            self.users.append(user)
            if len(self.users) > release.population:  # whoever was here long ago does not come back
                self.users.pop(0)
        return user

    def request(self, weight: float, drift: float) -> Receipt:
        """The next one's receipt; the same object each time."""
        release, receipt = self.release, self.receipt
        user = self.user()
        canary = is_canary(user.unit, weight)
        world = release.canary if canary else release.stable
        receipt.unit, receipt.arm = user.unit, "canary" if canary else "stable"
        error, refusal, invalid, interrupted, truncated, fallback, abandon = self.bad(
            self.shares[world], drift, user
        )
        interrupted = interrupted and not abandon
        error = (error or interrupted) and not abandon
        receipt.error_code = receipt.error_fault = receipt.cancelled_by = None
        receipt.interrupted = interrupted
        if error:
            receipt.error_code, receipt.error_fault = "upstream_error", "provider"
        if abandon:
            receipt.cancelled_by = "client"
        receipt.validity = "schema_violation" if invalid and not (error or abandon) else "valid"
        extent: Any = "full" if refusal else "none"
        if world.refusals is not None:
            said = xstest(world.refusals)
            extent = said[int(self.draw.random() * len(said))]
        receipt.model_refusal = None if error or abandon else extent
        receipt.finish_reason = "length" if truncated else "stop"
        receipt.attempts = _OTHER if fallback else _FIRST
        self.amounts(receipt, user, world, drift)
        return receipt

    def bad(self, shares: tuple[float, ...], drift: float, user: User) -> list[bool]:
        """Of each kind. With the correlation, the user's own lasting answer instead of a fresh one:
        two requests of a user are then correlated by it."""
        draw = self.draw.random
        if not self.release.correlation:
            return [draw() < share * drift for share in shares]
        lasts = self.release.correlation**0.5
        return [
            (leaning if draw() < lasts else draw()) < share * drift
            for share, leaning in zip(shares, user.leaning, strict=True)
        ]

    def amounts(self, receipt: Receipt, user: User, world: World, drift: float) -> None:
        draw, release = self.draw, self.release
        rows = lengths(release.source)
        shared, own = release.correlation**0.5, (1 - release.correlation) ** 0.5
        prompt, tokens = rows[int(draw.random() * len(rows))]
        if release.correlation:
            place = 0.5 * math.erfc(-(shared * user.length + own * draw.gauss(0, 1)) / 2**0.5)
            tokens = by_length(release.source)[int(min(place, 0.999999) * len(rows))][1]
        receipt.output_tokens = int(tokens * world.tokens * drift + draw.random())
        receipt.cost_nanousd = 150 * prompt + 600 * receipt.output_tokens
        slow = shared * user.slowness + own * draw.gauss(0, 1)
        if release.ttft == "prompt":
            ttft_s = (0.1 + prompt / 5000) * math.exp(0.3 * slow)
        elif release.ttft == "served":
            served = served_ttft_s()
            ttft_s = served[int(draw.random() * len(served))] * math.exp(0.05 * slow)
        else:
            ttft_s = 0.4 * math.exp(float(release.ttft) * slow)
        receipt.ttft_s = ttft_s * world.ttft * drift
        receipt.itl_mean_s = 0.02 * math.exp(0.2 * draw.gauss(0, 1))
        receipt.total_s = receipt.ttft_s + receipt.output_tokens * receipt.itl_mean_s


def blocks(release: Release, seed: int) -> Iterator[Block]:
    """What the recorder would store of it, look by look."""
    traffic = Traffic(release, seed)
    folds = [BlockFold("chat/next") for _ in range(release.nodes)]
    place, homes = random.Random(seed), dict[int, int]()
    now_s = 0.0
    for looks, weight, drift in release.steps:
        for look in range(looks):
            now = drift * (1 + release.sway * math.sin(look / 3))
            for _ in range(release.a_look):
                fold = folds[0] if release.nodes == 1 else place.choice(folds)
                fold.add(traffic.request(weight, now))
            for node, fold in enumerate(folds):
                if release.nodes > 1:
                    arrived = fold.arrived()
                    guests = {unit for unit in arrived if homes.setdefault(unit, node) != node}
                    fold.disown(guests, release.nodes)
                block = fold.close(now_s, now_s + LOOK_S, weight)
                if block is not None:
                    yield block
            now_s += LOOK_S


def harmed(outcome: Outcome) -> bool:
    return outcome.harm is not None or outcome.ratio_broken


def run(release: Release, seed: int, until: Callable[[Outcome], bool] = harmed) -> Outcome:
    """The release to its end, or until somebody has seen enough."""
    rollout = Rollout("chat/next", "chat", "", "o", {}, harm=release.harm)
    analysis: Analysis = begin(rollout)
    outcome = Outcome()
    for block in blocks(release, seed):
        analysis = take(analysis, rollout, block)
        outcome.canary_requests = analysis.canary.assigned
        outcome.verdicts = verdicts(analysis, rollout)
        for verdict in outcome.verdicts:
            if verdict.verdict == "harm" and outcome.harm is None:
                outcome.harm, outcome.harm_after = verdict.metric, outcome.canary_requests
            if verdict.verdict == "safe":
                outcome.safe_after.setdefault(verdict.metric, outcome.canary_requests)
        outcome.ratio_broken = ratio_broken(analysis)
        if until(outcome):
            break
    return outcome
