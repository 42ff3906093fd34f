"""`cache.worth` of a route: by what its kept answers are judged, and what follows."""

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.cache_worth import Mode, Worth
from tidegate.core.declared_scalars import MAX_SECONDS, Usd

_DEFAULT: Final = Worth()
_MOST_DAYS: Final = 7
_Window = Annotated[float, Meta(ge=3600, le=_MOST_DAYS * MAX_SECONDS, extra={"read": "duration"})]


class DeclaredWorth(Struct, frozen=True, omit_defaults=True):
    """Whether each tier pays, by its hits, by what its lookups cost, and by how its hits are
    judged."""

    mode: Annotated[
        Mode,
        Meta(
            description="What becomes of a tier that does not pay: nothing (`off`), people are "
            "told with the evidence (`propose`), or it is turned off and tried again later (`act`)."
        ),
    ] = _DEFAULT.mode
    usd_per_s: Annotated[
        Usd | None,
        Meta(
            description="What it is worth that a caller waits a second less. Default: money and "
            "seconds are judged apart, and a tier has to lose both."
        ),
    ] = None
    usd_per_cpu_h: Annotated[
        Usd,
        Meta(
            description="What an hour of a core costs that looks for kept answers. Default: 0.05."
        ),
    ] = Decimal("0.05")
    store_usd_per_h: Annotated[
        Usd | None,
        Meta(description="The route's part of what a shared store costs. Default: not counted."),
    ] = None
    wrong_answer_usd: Annotated[
        Usd | None,
        Meta(
            description="What a wrong answer costs: so much is lost by hits that are judged bad "
            "more often than fresh answers are. Default: not counted."
        ),
    ] = None
    most_wrong: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            extra={"read": "share"},
            description="How much more often than fresh answers hits may be bad.",
        ),
    ] = _DEFAULT.most_wrong
    window_s: Annotated[
        _Window, Meta(description="After how long evidence that has told something begins anew.")
    ] = field(default=_DEFAULT.window_s, name="window")
    least: Annotated[
        int, Meta(ge=100, le=10_000_000, description="Of fewer lookups nothing is concluded.")
    ] = _DEFAULT.least
    retry_s: Annotated[
        _Window,
        Meta(
            description="After how long a tier that was turned off is tried again; after each "
            "more failure twice as long, up to 14 days."
        ),
    ] = field(default=_DEFAULT.retry_s, name="retry")

    def worth(self) -> Worth:
        """What the loop obeys."""
        return Worth(
            self.mode,
            _usd(self.usd_per_s),
            float(self.usd_per_cpu_h),
            _usd(self.store_usd_per_h),
            _usd(self.wrong_answer_usd),
            self.most_wrong,
            self.window_s,
            self.least,
            self.retry_s,
        )


def _usd(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
