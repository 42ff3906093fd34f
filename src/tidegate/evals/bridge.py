"""Two judges on the same anchors: how far what one says may be held beside what the other said.

A changed judge is another judge, and figures of the two are not of one line. What the new one gives
more or less than the old one to the very same answers is the bridge between them.
"""

from collections.abc import Mapping
from math import sqrt

from msgspec import Struct

from tidegate.stats.agreement import kappa

_NORMAL_95 = 1.959964


class Bridge(Struct, frozen=True, omit_defaults=True):
    """From the judge `before` (digest and model) to the new one, over `anchors` that both judged.

    `shift` is what the new one gives more, with its 95 % interval, in parts of 1; `factor` how many
    times as much, None where the old one gave nothing. `agreed` is the share of equal verdicts.
    """

    before: str
    model: str
    anchors: int
    agreed: float
    kappa: float | None
    shift: tuple[float, float, float]
    factor: float | None


def bridged(
    before: str, model: str, old: Mapping[str, float], new: Mapping[str, float]
) -> Bridge | None:
    """By what each said of the anchors (0 to 1). None with fewer than two of both."""
    both = [(old[name], new[name]) for name in sorted(old.keys() & new.keys())]
    count = len(both)
    if count < 2:
        return None
    mean = sum(now - was for was, now in both) / count
    variance = sum((now - was - mean) ** 2 for was, now in both) / (count - 1)
    width = _NORMAL_95 * sqrt(variance / count)
    given = sum(was for was, _ in both)
    return Bridge(
        before,
        model,
        count,
        sum(was == now for was, now in both) / count,
        kappa(both),
        (mean, mean - width, mean + width),
        sum(now for _, now in both) / given if given else None,
    )
