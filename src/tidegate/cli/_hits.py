"""What is found of kept answers, told."""

import click

from tidegate.cli._words import moment, table
from tidegate.control.shapes_hits import HitShare, HitsView, HitView, TierView
from tidegate.core.judged_hit import BIN
from tidegate.stores.judged_hits import FoundHits

_NANOUSD_A_USD = 1e9
_HEAD = ("TIER", "WAS", "SCORE", "CAPTURED", "JUDGED", "BAD", "UNKNOWN", "COST USD")


def tell_hits(hits: HitsView) -> None:
    """Apart from live answers, under them."""
    for it in hits.tiers:
        click.echo(f"  kept answers, {_whole(it)}")
    if hits.unjudged is not None:
        since = moment(hits.unjudged.since_s)
        why = "".join(c if c.isprintable() else " " for c in hits.unjudged.why)
        click.echo(f"  kept answers NOT JUDGED as declared since {since}: {why}")
    elif hits.is_judged and not hits.strata:
        click.echo("  kept answers: none was captured")
    if hits.strata:
        click.echo(table(_HEAD, [_stratum(it) for it in hits.strata]))
    if hits.others:
        columns = ("TIER", "FOUND BY", "OF", "BAD", "UNKNOWN")
        click.echo(table(columns, [_other(it) for it in hits.others]))


def _whole(it: TierView) -> str:
    what = "given" if it.given else "not given"
    bad = "unknown" if it.bad is None else _share(it.bad)
    more = f", {it.judged} of {it.captured} judged"
    if it.bad is not None and it.bad.covered < 1:
        more += f", known of {it.bad.covered:.0%}"
    return f"{it.tier} {what}: bad {bad}{more}"


def _stratum(view: HitView) -> tuple[str, ...]:
    it, of = view.found, view.found.stratum
    was = "vetoed" if of.vetoed else "given" if of.given else "not given"
    low = of.score_bin
    score = "-" if low is None else f"{low / 100:.2f} to {(low + BIN) / 100:.2f}"
    cost = f"{it.cost_nanousd / _NANOUSD_A_USD:.4f}"
    if it.cost_unknown:
        cost += f" and {it.cost_unknown} unknown"
    bad = "unknown" if view.bad is None else _share(view.bad)
    return (of.tier, was, score, str(it.captured), str(it.known), bad, str(it.unknown), cost)


def _other(it: FoundHits) -> tuple[str, ...]:
    bad = f"{it.bad} ({it.bad / it.known:.1%})" if it.known else "unknown"
    return (it.stratum.tier, it.assessed_as, str(it.known), bad, str(it.unknown))


def _share(share: HitShare) -> str:
    return f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"
