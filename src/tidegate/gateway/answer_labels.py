"""The labels of an answer that one request had: by them it may be invalidated."""

from tidegate.core.cache import Tier
from tidegate.core.cache_labels import Labels
from tidegate.gateway.progress import Progress


def labels_of(progress: Progress, tier: Tier) -> Labels:
    """Of what has settled."""
    receipt, target = progress.receipt, progress.target
    caching = progress.caching or progress.batch
    return Labels(
        tier=tier,
        entry=receipt.id,
        route=receipt.route,
        release=receipt.release,
        team=receipt.team,
        customer=receipt.customer,
        key=receipt.key_id,
        prompt=receipt.prompt,
        version=receipt.prompt_version,
        target=receipt.target,
        model=None if target is None else target.target.model,
        served=receipt.model_served,
        tags=() if caching is None else caching.tags,
        sources=() if caching is None else caching.sources,
        number=0 if caching is None else caching.mark.number,
        id="" if caching is None else caching.mark.id,
    )
