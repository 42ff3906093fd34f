"""Published prices and facts of models, of which each table is read when the first is asked for.

Reading them takes longer than most of a start, and a plan of engines of one's own needs neither.
"""

import functools
from typing import TYPE_CHECKING

from tidegate.core import plugs
from tidegate.core.facts import PriceOf, Quote
from tidegate.core.model_facts import ModelFacts

if TYPE_CHECKING:
    from tidegate.config.models import ModelTable


def published(now_s: float) -> PriceOf:
    """What is asked for a model at `now_s` (wall-clock seconds)."""
    read: list[PriceOf] = []

    def quote(dialect: str, base_url: str, model: str) -> Quote:
        if not read:
            read.append(plugs.load("config", "prices")(now_s).quote)
        return read[0](dialect, base_url, model)

    return quote


def model_facts(dialect: str, base_url: str, model: str) -> ModelFacts:
    """What is published of a model."""
    return model_table().facts(dialect, base_url, model)


@functools.cache
def model_table() -> "ModelTable":
    """The table, read once: it is never changed."""
    table: ModelTable = plugs.load("config", "models")()
    return table
