"""Weekly looks at a judge: which anchors, what their verdicts come to, when that is an alarm. Pure.

What is expected is what the judge said of these anchors when it was calibrated. Each look's fifty
are drawn from them without replacement, so that looks at a judge that has not changed scatter less
than tosses do, for which run lengths are computed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct

from tidegate.evals.anchors import Anchor
from tidegate.evals.calibration import Said, people_say
from tidegate.stats.cusum import Cusum, designed
from tidegate.stats.judge_bias import proportion
from tidegate.stores.judge_scores import CALIBRATION, Score

WEEK_S: Final = 7 * 86_400.0
LOOK: Final = 50
TURNS: Final = 2
# What is looked for soonest, and how seldom an unchanged judge is to be alarmed of.
KAPPA_DROP: Final = 0.15
QUIET_WEEKS: Final = 104
FALSE_ALARMS: Final = 0.05
# A judge that surely gives no verdict of more than this share.
MOST_SILENT: Final = 0.05
_MOST_CHANCE: Final = 0.99


def week_of(at_s: float) -> int:
    """The week of UTC, of those since 1970 began."""
    return int(at_s // WEEK_S)


def calibration(generation: int) -> str:
    """The occasion of a calibration."""
    return f"{CALIBRATION}{generation}"


def weekly(week: int) -> str:
    """The occasion of a weekly look."""
    return f"week-{week}"


def sample(anchors: Sequence[Anchor], week: int, size: int = LOOK) -> list[Anchor]:
    """Those of a week: of each label as many as its share, other ones each week until all have had
    their turn. The same week gives the same, whoever asks."""
    by_label: dict[object, list[Anchor]] = defaultdict(list)
    for anchor in sorted(anchors, key=_drawn):
        by_label[people_say(anchor.labels)].append(anchor)
    size = min(size, len(anchors))
    found: list[Anchor] = []
    for label, count in _shares({it: len(by_label[it]) for it in by_label}, size).items():
        row = by_label[label]
        found += [row[(week * count + at) % len(row)] for at in range(count)]
    return found


def _drawn(anchor: Anchor) -> str:
    """A place in a line that neither its file nor its name says anything about."""
    return sha256(f"turn {anchor.key}".encode()).hexdigest()


def _shares(sizes: Mapping[object, int], size: int) -> dict[object, int]:
    """`size` parted by sizes, whole ones (the largest remainder first)."""
    whole = sum(sizes.values())
    exact = {label: size * count / whole for label, count in sizes.items()}
    found = {label: int(share) for label, share in exact.items()}
    rest = sorted(exact, key=lambda it: (found[it] - exact[it], str(it)))
    for label in rest[: size - sum(found.values())]:
        found[label] += 1
    return found


class Agreed(Struct, frozen=True):
    """Of `asked` verdicts `known` were given, and `agreed` of those were people's."""

    asked: int
    known: int
    agreed: int

    @property
    def is_silent(self) -> bool:
        """Whether it surely gives no verdict more often than a judge may that decides."""
        return proportion(self.asked - self.known, self.asked).low > MOST_SILENT


def agreed(anchors: Iterable[Anchor], scores: Iterable[Score]) -> Agreed:
    """By what people are known to say now."""
    people = {it.key: people_say(it.labels) for it in anchors}
    ours = [it for it in scores if it.anchor in people]
    known = [it for it in ours if it.passes is not None]
    same = sum(it.passes == people[it.anchor] for it in known)
    return Agreed(len(ours), len(known), same)


def said_of(anchors: Iterable[Anchor], scores: Iterable[Score]) -> list[Said]:
    """What was said of each anchor, each time; those that were not asked of are not in it."""
    turns: dict[str, dict[int, bool | None]] = defaultdict(dict)
    for it in scores:
        turns[it.anchor][it.turn] = it.passes
    known = [(it, turns[it.key]) for it in anchors if it.key in turns]
    return [Said(it, tuple(said[turn] for turn in sorted(said))) for it, said in known]


def cusum_of(found: Agreed, anchors: Iterable[Anchor], looked_at: int = LOOK) -> Cusum | None:
    """By which looks of so many are added up, for a judge that agreed as `found` says; None where
    nothing can be told of it.

    A drop of kappa comes to so many more verdicts that are not people's: kappa = (agreed - chance)
    / (1 - chance), where chance is that two who each pass as many as people do say the same.
    """
    if not found.known:
        return None
    labels = Counter(people_say(it.labels) for it in anchors)
    chance = sum(it * it for it in labels.values()) / max(1, labels.total()) ** 2
    before = (found.known - found.agreed + 0.5) / (found.known + 1)
    after = min(before + KAPPA_DROP * (1 - chance), _MOST_CHANCE)
    if not before < after:
        return None
    return designed(before, after, looked_at, QUIET_WEEKS, FALSE_ALARMS)
