"""The metrics by which a release is held back: what one request says of each."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct


class Harm(Struct, frozen=True):
    """One row. A `share` is of requests that were bad; a `latency` is judged by how many are slower
    than the stable arm's quantile; an `amount` by the mean of its logarithm. `margin` is the
    default for how much worse is no harm: points of a share, or a ratio. What `counted` is told of;
    a metric that `is_late` is of assessments (`core.assessment`), which come after the request."""

    name: str
    kind: Literal["share", "latency", "amount"]
    margin: float
    meaning: str
    counted: str = "requests"
    is_late: bool = False


def _rows(*rows: Harm) -> Mapping[str, Harm]:
    return {row.name: row for row in rows}


HARM: Final = _rows(
    Harm("error", "share", 0.02, "ended in a provider's or our own failure"),
    Harm("refusal", "share", 0.02, "the model refused"),
    Harm("invalid", "share", 0.02, "the answer broke its contract"),
    Harm("interrupted", "share", 0.02, "the stream broke off"),
    Harm("truncated", "share", 0.02, "the answer ended at a limit of tokens"),
    Harm("fallback", "share", 0.02, "served by another than the first choice"),
    Harm("abandon", "share", 0.02, "the client left before the end"),
    Harm("ttft", "latency", 0.02, "slower to the first token than the stable arm's p95"),
    Harm("total_time", "latency", 0.02, "slower to the end than the stable arm's p95"),
    Harm("output_tokens", "amount", 1.15, "tokens of an answer"),
    Harm("cost", "amount", 1.15, "money for a request"),
    Harm(
        "quality",
        "share",
        0.05,
        "graders of live answers found it bad, of those they looked at",
        "judged answers",
        is_late=True,
    ),
    Harm(
        "follow_up",
        "share",
        0.05,
        "its user had to ask again, of those who could have",
        "answered turns",
        is_late=True,
    ),
    Harm(
        "thumbs_down",
        "share",
        0.05,
        "its user rated it badly, of those who rated",
        "rated answers",
        is_late=True,
    ),
    Harm("itl", "latency", 0.02, "a longer mean gap between tokens than the stable arm's p95"),
)
