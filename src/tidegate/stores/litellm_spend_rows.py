"""A row of LiteLLM's ledger, as its database or an exported file tells it: each column as text.

It is read without SQLAlchemy, which commands that read a file need not load.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

from tidegate.core.audit import LedgerRow
from tidegate.core.units import NANOUSD_PER_USD

_YES: Final = frozenset({"true", "t", "1", "yes"})
# Which columns answer what an audit asks; any of them is enough.
_TELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "status": ("status",),
    "tokens": ("prompt_tokens", "completion_tokens"),
    "money": ("spend",),
    "names": ("team_id", "user", "end_user"),
}
_MILLISECONDS: Final = 1e11  # as seconds this is the year 5138


def row_of(told: Mapping[str, Any]) -> LedgerRow | None:
    """A row by LiteLLM's names of its columns, each as text; None where it tells no time."""
    at_s = _moment(told.get("startTime"))
    if at_s is None:
        return None
    status = (told.get("status") or "").lower()
    return LedgerRow(
        id=told.get("request_id") or "",
        at_s=at_s,
        call_id=told.get("litellm_call_id") or None,
        succeeded=status == "success" if status else None,
        spend_nanousd=_nanousd(told.get("spend")),
        input_tokens=_count(told.get("prompt_tokens")),
        output_tokens=_count(told.get("completion_tokens")),
        key=told.get("api_key") or None,
        team=told.get("team_id") or None,
        user=told.get("user") or None,
        end_user=told.get("end_user") or None,
        model=told.get("model_group") or told.get("model") or None,
        provider=told.get("custom_llm_provider") or None,
        sold=told.get("model") or None,
        api_base=told.get("api_base") or None,
        from_cache=str(told.get("cache_hit") or "").lower() in _YES,
        lacks=tuple(what for what, of in _TELLS.items() if not any(name in told for name in of)),
    )


def _moment(told: str | None) -> float | None:
    """A date of ISO 8601, of UTC where it does not say; or seconds or milliseconds since 1970."""
    try:
        at = datetime.fromisoformat(told or "")
    except ValueError:
        try:
            number = float(told or "")
        except ValueError:
            return None
        return number / (1000 if number > _MILLISECONDS else 1) if isfinite(number) else None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _nanousd(told: str | None) -> int | None:
    try:
        return round(Decimal(told or "") * NANOUSD_PER_USD)
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _count(told: str | None) -> int | None:
    told = (told or "").removesuffix(".0")  # as tables with gaps are exported
    return int(told) if told.isdecimal() and len(told) < 16 else None
