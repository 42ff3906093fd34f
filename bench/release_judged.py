"""Simulated answers that are judged afterwards: a sample of each arm, by a judge who errs, late.

Drives the product's own groups, blocks and Analysis. All randomness comes from one seed.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log

from bench.release_traffic import Outcome, User
from tidegate.core.arm import Arm, is_canary
from tidegate.core.block import Block, Moments
from tidegate.core.rollout import HarmMetric, Rollout
from tidegate.stats import mean_test
from tidegate.stats.analysis import begin, take
from tidegate.stats.late_fold import Before, Found, block_of, cut
from tidegate.stats.level import Bounds, Level, advanced
from tidegate.stats.safe_test import Margin
from tidegate.stats.verdict import verdicts

LOOK_S = 60.0
LATE = "quality"
ARMS: tuple[Arm, Arm] = ("stable", "canary")


@dataclass(frozen=True)
class Judged:
    """One simulated release. `stable` and `canary` are shares of bad answers, `steps` are (looks,
    weight, drift: so many times as bad in both arms). Of `a_look` requests so many of an arm are
    `sampled` (None: whoever likes rates, one in ten). The judge is wrong about `noise` of them, and
    says so after `delay_s` on average, after a tenth of that of bad ones where `bad_first`. Where
    there are `scores` (mean of the stable arm, of the canary) bad is one below 3.5 of 5."""

    stable: float = 0.1
    canary: float = 0.1
    steps: tuple[tuple[int, float, float], ...] = ((400, 0.1, 1.0),)
    a_look: int = 60
    sampled: int | None = 2
    noise: float = 0.0
    delay_s: float = 120.0
    bad_first: bool = False
    a_user: float = 1.0
    correlation: float = 0.0
    population: int = 400
    scores: tuple[float, float] | None = None
    by_mean: bool = False
    harm: tuple[HarmMetric, ...] = (HarmMetric(LATE, 0.05),)


class _Answers:
    """Requests one after another, each with what its judge will say."""

    def __init__(self, release: Judged, seed: int) -> None:
        self.release = release
        self.draw = random.Random(seed)
        self._users: list[User] = []
        self._seq = 0
        self.scores: dict[int, float] = {}

    def look(self, at_s: float, weight: float, drift: float) -> Iterator[tuple[float, Found]]:
        """What is sampled of one look's requests, with when it is told."""
        draw, release = self.draw, self.release
        left = dict.fromkeys(ARMS, release.sampled)
        for _ in range(release.a_look):
            user = self._user()
            arm: Arm = "canary" if is_canary(user.unit, weight) else "stable"
            room = left[arm]
            if (draw.random() >= 0.1) if room is None else (room <= 0):
                continue
            if room is not None:
                left[arm] = room - 1
            began_s = at_s + LOOK_S * draw.random()
            self._seq += 1
            is_bad = self._is_bad(arm, drift, user)
            late_s = draw.expovariate(1 / release.delay_s)
            late_s /= 10 if release.bad_first and is_bad else 1
            yield began_s + late_s, Found(self._seq, began_s, arm, user.unit, is_bad)

    def _user(self) -> User:
        """Whoever asks next: somebody new, or one who was here."""
        draw, release = self.draw, self.release
        if release.a_user > 1 and self._users and draw.random() > 1 / release.a_user:
            return self._users[int(draw.random() * len(self._users))]
        user = User(draw.getrandbits(64), (draw.random(),), 0.0, 0.0)
        if release.a_user > 1:
            self._users.append(user)
            if len(self._users) > release.population:
                self._users.pop(0)
        return user

    def _is_bad(self, arm: Arm, drift: float, user: User) -> bool:
        draw, release = self.draw, self.release
        if release.scores is not None:
            mean = release.scores[arm == "canary"]
            score = self.scores[self._seq] = min(5.0, max(1.0, draw.gauss(mean, 0.8)))
            return score < 3.5
        lasts = draw.random() < release.correlation**0.5
        place = user.leaning[0] if lasts else draw.random()
        is_bad = place < drift * (release.canary if arm == "canary" else release.stable)
        return is_bad != (draw.random() < release.noise)


def _told(answers: _Answers) -> Iterator[list[tuple[float, Found]]]:
    """Look by look what is told then, with the weight at which it was made; after the last step
    what is still to be told."""
    coming: list[tuple[float, float, Found]] = []
    now_s = 0.0
    for looks, weight, drift in answers.release.steps:
        for _ in range(looks):
            for at_s, one in answers.look(now_s, weight, drift):
                heapq.heappush(coming, (at_s, weight, one))
            now_s += LOOK_S
            yield _by_now(coming, now_s)
    while coming:
        now_s += 10 * LOOK_S
        yield _by_now(coming, now_s)


def _by_now(coming: list[tuple[float, float, Found]], now_s: float) -> list[tuple[float, Found]]:
    found = []
    while coming and coming[0][0] <= now_s:
        _, weight, one = heapq.heappop(coming)
        found.append((weight, one))
    return found


def _groups(answers: _Answers) -> Iterator[tuple[float, list[Found]]]:
    """Look by look what can be compared by then, with the weight at which it was made."""
    waiting: dict[float, dict[int, Found]] = {}
    for told in _told(answers):
        for weight, one in told:
            waiting.setdefault(weight, {})[one.seq] = one
        for weight in sorted({weight for weight, _ in told}):
            several = waiting[weight]
            groups, left_out = cut(several.values())
            for seq in [*left_out, *(one.seq for group in groups for one in group)]:
                del several[seq]
            for group in groups:
                yield weight, group


def _blocks(answers: _Answers) -> Iterator[Block]:
    counted: dict[tuple[Arm, int], tuple[int, int]] = {}
    spoken: set[tuple[float, Arm, int]] = set()
    for weight, group in _groups(answers):
        units = {(one.arm, one.unit) for one in group if one.unit is not None}
        before = {
            (arm, unit): Before(*counted.get((arm, unit), (0, 0)), (weight, arm, unit) in spoken)
            for arm, unit in units
        }
        yield block_of(LATE, "chat/next", weight, group, before)
        for one in group:
            if one.unit is not None:
                judged, bad = counted.get((one.arm, one.unit), (0, 0))
                counted[one.arm, one.unit] = judged + 1, bad + one.is_bad
                spoken.add((weight, one.arm, one.unit))


def run(release: Judged, seed: int, until: Callable[[Outcome], bool]) -> Outcome:
    """The release to its end, or until somebody has seen enough; requests are judged answers."""
    answers = _Answers(release, seed)
    if release.by_mean:
        return _by_mean(answers)
    rollout = Rollout("chat/next", "chat", "", "o", {}, harm=release.harm)
    analysis, outcome = begin(rollout), Outcome()
    for block in _blocks(answers):
        analysis = take(analysis, rollout, block)
        outcome.canary_requests += block.canary.tallies[LATE].judged
        found = next(one for one in verdicts(analysis, rollout) if one.metric == LATE)
        if found.verdict == "harm" and outcome.harm is None:
            outcome.harm, outcome.harm_after = LATE, outcome.canary_requests
        if found.verdict == "safe":
            outcome.safe_after.setdefault(LATE, outcome.canary_requests)
        if until(outcome):
            break
    return outcome


def _by_mean(answers: _Answers) -> Outcome:
    """The same scores compared by their means, as amounts are."""
    by, level, outcome = Bounds(is_share=False, margin=Margin(log(1.15), 0.05)), Level(), Outcome()
    for _, group in _groups(answers):
        moments = {arm: Moments() for arm in ARMS}
        for one in group:
            moments[one.arm].add(-answers.scores[one.seq])
        level = advanced(level, moments["stable"], moments["canary"], by)
        outcome.canary_requests = level.canary.count
        is_known = level.canary.count >= mean_test.LEAST
        if is_known and mean_test.ln_e_harm(level.strata) >= log(20):
            outcome.harm, outcome.harm_after = LATE, outcome.canary_requests
            break
    return outcome
