"""A class of service in a target's own words."""

from collections.abc import Mapping

from tidegate.core.conversation import Conversation
from tidegate.core.losses import Losses


def tier_of(said: Conversation, tiers: Mapping[str, str], losses: Losses) -> str | None:
    """What `tiers` says for the one that is asked for; None where the target may choose."""
    wanted = said.service_tier
    if wanted is None or (wanted == "auto" and wanted not in tiers):
        return None
    if wanted not in tiers:
        losses.lose("service_tier")
    return tiers.get(wanted)
