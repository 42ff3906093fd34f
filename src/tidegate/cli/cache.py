"""`tidegate cache`: what repeated work is not done again, tier by tier."""

import click

from tidegate.cli import _cache_calibrate, _cache_invalidate, _cache_prefix, _cache_worth


@click.group(name="cache")
def plug() -> None:
    """What caches had, what that saved, and what keeps them from having more."""


plug.add_command(_cache_calibrate.calibrate)
plug.add_command(_cache_calibrate.thresholds)
plug.add_command(_cache_invalidate.invalidate)
plug.add_command(_cache_prefix.prefix)
plug.add_command(_cache_prefix.unstable)
plug.add_command(_cache_worth.worth)
