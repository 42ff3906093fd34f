"""What weekly looks at a judge find and what they find wrongly: computed run lengths, and judges
made up over two years on the same 200 anchors. Prints the tables of docs/judges.md."""

from random import Random
from statistics import median

from tidegate.evals.anchors import Anchor
from tidegate.evals.judge_looks import (
    FALSE_ALARMS,
    LOOK,
    QUIET_WEEKS,
    Agreed,
    cusum_of,
    sample,
)
from tidegate.stats.cusum import Cusum, alarm_chance, mean_looks, median_looks

SEED = 20_000
JUDGES = 400
ANCHORS = 200
VERDICTS = 400
DROPS = (0.1, 0.15, 0.25, 0.35)


def anchors(passing: float, count: int = ANCHORS) -> list[Anchor]:
    return [Anchor(f"a{n}", f"answer {n}", (n < passing * count,)) for n in range(count)]


def wrong_share(passing: float, kappa: float) -> float:
    """Of verdicts that are not people's, with such a kappa."""
    return 2 * passing * (1 - passing) * (1 - kappa)


def planned(every: list[Anchor], passing: float, kappa: float) -> Cusum:
    agreed = round(VERDICTS * (1 - wrong_share(passing, kappa)))
    found = cusum_of(Agreed(VERDICTS, VERDICTS, agreed), every)
    assert found is not None
    return found


def computed(passing: float, kappa: float) -> str:
    cusum = planned(anchors(passing), passing, kappa)
    share = wrong_share(passing, kappa)
    quiet = mean_looks(cusum, share, LOOK)
    false = alarm_chance(cusum, share, LOOK, QUIET_WEEKS)
    weeks = [median_looks(cusum, wrong_share(passing, kappa - it), LOOK) for it in DROPS]
    figures = (f"{cusum.reference * LOOK:.2f}", f"{cusum.limit:.2f}", f"{quiet:,.0f}")
    return f"| {passing:.0%} | {kappa} | {' | '.join(figures)} | {false:.1%} | " + " | ".join(
        str(it) for it in weeks
    )


def looks(every: list[Anchor], weeks: int) -> list[list[str]]:
    return [[it.id for it in sample(every, week)] for week in range(weeks)]


def weeks_until(cusum: Cusum, asked: list[list[str]], wrong: dict[str, float], draw: Random) -> int:
    """Of a judge that is wrong of each anchor so often; one more than there are where never."""
    now = 0.0
    for week, ids in enumerate(asked, 1):
        now = cusum.after(now, sum(draw.random() < wrong[it] for it in ids), len(ids))
        if cusum.is_over(now):
            return week
    return len(asked) + 1


def made_up(draw: Random, share: float, coins: float) -> dict[str, float]:
    """A judge that is wrong of such a share: of a part of the anchors (`coins`) it tosses one."""
    names = [f"a{n}" for n in range(ANCHORS)]
    draw.shuffle(names)
    tossed = round(coins * ANCHORS)
    sure = round(share * ANCHORS - tossed / 2)
    chances = [0.5] * tossed + [1.0] * sure + [0.0] * (ANCHORS - tossed - sure)
    return dict(zip(names, chances, strict=True))


def simulated(coins: float) -> str:
    """Judges of kappa 0.75, each calibrated as it happens to say, and each then at 0.5."""
    every, draw = anchors(0.5), Random(SEED + round(100 * coins))
    asked, alarms, found = looks(every, QUIET_WEEKS), 0, []
    for _ in range(JUDGES):
        before = made_up(draw, wrong_share(0.5, 0.75), coins)
        verdicts = [draw.random() < before[it.id] for it in every for _ in range(2)]
        cusum = cusum_of(Agreed(VERDICTS, VERDICTS, VERDICTS - sum(verdicts)), every)
        assert cusum is not None
        alarms += weeks_until(cusum, asked, before, draw) <= QUIET_WEEKS
        found.append(weeks_until(cusum, asked, made_up(draw, 0.25, coins), draw))
    worst = sorted(found)[round(0.95 * JUDGES)]
    return f"| {coins:.0%} | {alarms / JUDGES:.1%} | {median(found):.0f} | {worst} |"


def run() -> int:
    print(
        "| people pass | kappa | reference of 50 | limit | weeks to a false alarm | in two years |"
        + "".join(f" -{it:g} |" for it in DROPS)
    )
    print("|" + "---|" * (6 + len(DROPS)))
    for passing in (0.5, 0.8):
        for kappa in (0.62, 0.75, 0.9):
            print(f"{computed(passing, kappa)} |", flush=True)
    print(f"\nat most {FALSE_ALARMS:.0%} of {QUIET_WEEKS} weeks are allowed to alarm of nothing\n")
    print("| anchors it tosses for | alarmed of nothing in two years | 0.75 to 0.5: weeks | 95 % |")
    print("|---|---|---|---|")
    for coins in (0.0, 0.1, 0.2):
        print(simulated(coins), flush=True)
    return 0
