"""Which requests are somebody's use of a product, by their purpose: one list for all who count.

A key says what its requests are for in a word of its operator's. The words of `MEASURING` say that
they measure us; any other is a user's. The gateway's own requests have a purpose and no key. A
line of a batch is a user's too, who waits for it until tomorrow: it says nothing of how well users
are served now. What an open batch holds of its budgets is nobody's request at all.
"""

from typing import Final

from tidegate.core.probe import OWN, SHADOW

PRODUCTION: Final = "production"
EVAL: Final = "eval"
BATCH_LINE: Final = "batch_line"
BATCH_HOLD: Final = "batch_hold"
_OF_BATCHES: Final = frozenset({BATCH_LINE, BATCH_HOLD})
MEASURING: Final = frozenset({EVAL, "evals", "evaluation", "evaluations", SHADOW})


def is_production(purpose: str, *, has_key: bool) -> bool:
    """Whether objectives, error budgets and releases count such a request."""
    if purpose in MEASURING or purpose in _OF_BATCHES:
        return False
    return has_key or purpose not in OWN
