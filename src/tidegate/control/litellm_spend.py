"""`/spend/...` as LiteLLM has it: its names for receipts, one by one and by day.

Its user is what a request says in `user`. What nobody knows the cost of has no `spend`.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Engine

from tidegate.control.errors import ApiError
from tidegate.control.litellm_fields import iso, usd
from tidegate.control.litellm_keys import key_id
from tidegate.control.routes import Call, Row
from tidegate.control.shapes import Name, PageSize, Text
from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.stores import budget_use, database, keys, receipts
from tidegate.stores.budget_use import Span
from tidegate.stores.receipts import SCAN_ROWS, Filter

_DAY_S = 86_400.0
_MOST_DAYS = 366
_CALLS = {
    "chat": "acompletion",
    "completions": "atext_completion",
    "embeddings": "aembedding",
    "rerank": "arerank",
    "moderations": "amoderation",
    "images": "aimage_generation",
    "image_edits": "aimage_edit",
    "image_variations": "aimage_variation",
    "speech": "aspeech",
    "transcriptions": "atranscription",
    "translations": "atranscription",
}
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")

Page = Annotated[int, Meta(ge=1, le=1000)]


class KeysAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How many keys."""

    limit: PageSize = 100


class LogsAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests, newest first: `page_size` of them on each `page`, from 1. Dates are of UTC,
    a day without a time is meant whole."""

    start_date: Name | None = None
    end_date: Name | None = None
    api_key: Text | None = None
    team_id: Name | None = None
    user_id: Text | None = None
    end_user: Text | None = None
    request_id: Name | None = None
    page: Page = 1
    page_size: PageSize = 50


class SpendAsked(LogsAsked, forbid_unknown_fields=True, omit_defaults=True):
    """`summarize`: by day, where both dates are given."""

    page_size: PageSize = 1000
    summarize: bool = True


async def _keys(call: Call) -> list[dict[str, Any]]:
    return await call.desk.store(_keys_by_spend, call.query.limit)


async def _logs(call: Call) -> list[dict[str, Any]]:
    asked: SpendAsked = call.query
    which = _filter(call)
    if asked.summarize and which.since_s is not None and which.until_s is not None:
        return await call.desk.store(_by_day, which)
    found, _ = await call.desk.store(receipts.page, which, asked.page, asked.page_size)
    return [_shown(one) for one in found]


async def _paged(call: Call) -> dict[str, Any]:
    asked: LogsAsked = call.query
    found, total = await call.desk.store(receipts.page, _filter(call), asked.page, asked.page_size)
    return {
        "data": [_shown(one) for one in found],
        "total": total,
        "page": asked.page,
        "page_size": asked.page_size,
        "total_pages": -(-total // asked.page_size),
        "total_is_capped": total == SCAN_ROWS,
    }


_MAY_ASK = frozenset(LogsAsked.__struct_fields__) - {"team_id"}

ROWS = (
    Row("GET", "/spend/keys", "viewer", _keys, query=KeysAsked),
    Row(
        *("GET", "/spend/logs", "viewer", _logs),
        query=SpendAsked,
        lead=_MAY_ASK | {"summarize"},
    ),
    Row("GET", "/spend/logs/v2", "viewer", _paged, query=LogsAsked, lead=_MAY_ASK),
)


def _filter(call: Call) -> Filter:
    asked: LogsAsked = call.query
    if asked.user_id is not None and asked.end_user not in (None, asked.user_id):
        message = "user_id and end_user are the same here: leave one out."
        raise ApiError("invalid_request", message, param="user_id")
    since_s = until_s = None
    if asked.start_date is not None:
        since_s, _ = _span(asked.start_date, "start_date")
    if asked.end_date is not None:
        _, until_s = _span(asked.end_date, "end_date")
    both = since_s is not None and until_s is not None
    if both and not 0 < (until_s or 0.0) - (since_s or 0.0) <= _MOST_DAYS * _DAY_S:
        message = f"end_date must come after start_date, by at most {_MOST_DAYS} days."
        raise ApiError("invalid_request", message, param="end_date")
    return Filter(
        since_s,
        until_s,
        id=asked.request_id,
        key_id=None if asked.api_key is None else key_id(asked.api_key),
        team=asked.team_id if call.team is None else call.team.id,
        end_user=asked.end_user or asked.user_id,
        of_callers=True,
    )


def _span(text: str, param: str) -> tuple[float, float]:
    """Where what a date says begins and ends: a second or a whole day. ApiError."""
    for form in _FORMATS:
        try:
            at_s = datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
        return at_s, at_s + (_DAY_S if form == "%Y-%m-%d" else 1.0)
    message = f"{param} must be a date such as 2026-03-31 or 2026-03-31 18:00:00, of UTC."
    raise ApiError("invalid_request", message, param=param)


def _shown(receipt: Receipt) -> dict[str, Any]:
    read = _sum(receipt.input_tokens, receipt.cache_read_tokens, receipt.cache_write_tokens)
    written = _sum(receipt.output_tokens, receipt.reasoning_tokens)
    start_s, first_s, total_s = receipt.started_at_s, receipt.ttft_s, receipt.total_s
    return {
        "request_id": receipt.id,
        "call_type": _CALLS.get(receipt.endpoint, receipt.endpoint),
        "api_key": receipt.key_id,
        "spend": None if receipt.cost_nanousd is None else usd(receipt.cost_nanousd),
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": None if read is None or written is None else read + written,
        "startTime": iso(start_s),
        "completionStartTime": None if first_s is None else iso(start_s + first_s),
        "endTime": None if total_s is None else iso(start_s + total_s),
        "model": receipt.model_served or receipt.model_wanted,
        "model_group": receipt.route,
        "model_id": receipt.target,
        "custom_llm_provider": receipt.provider,
        "user": receipt.end_user,
        "end_user": receipt.end_user,
        "team_id": receipt.team,
        "session_id": receipt.session_id,
        "metadata": receipt.attributes or {},
        "status": "failure" if receipt.error_code is not None else "success",
    }


def _sum(whole: int | None, *parts: int | None) -> int | None:
    """None where the class that is always told is unknown."""
    return None if whole is None else whole + sum(part or 0 for part in parts)


def _by_day(engine: Engine, which: Filter) -> list[dict[str, Any]]:
    """Dollars of each day of UTC: in all, by key, by user and by model."""
    found = receipts.costs(engine, which)
    if found is None:
        message = f"There are more than {SCAN_ROWS} requests in that time: ask for less of it."
        raise ApiError("invalid_request", message, param="start_date")
    days: dict[date, dict[tuple[str, str], int]] = {}
    at_s, until_s = which.since_s or 0.0, which.until_s or 0.0
    day = datetime.fromtimestamp(at_s, UTC).date()
    while datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() < until_s:
        days[day] = {("", "spend"): 0}
        day += timedelta(days=1)
    for one in found:
        sums = days.setdefault(datetime.fromtimestamp(one.at_s, UTC).date(), {})
        parts = ("", "spend"), ("", one.key_id), ("users", one.end_user), ("models", one.model)
        for kind, name in parts:
            if name is not None:
                sums[kind, name] = sums.get((kind, name), 0) + one.nanousd
    return [_day(day, sums) for day, sums in sorted(days.items())]


def _day(day: date, sums: dict[tuple[str, str], int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"startTime": day.isoformat(), "users": {}, "models": {}}
    for (kind, name), nanousd in sums.items():
        (shown[kind] if kind else shown)[name] = usd(nanousd)
    return shown


def _keys_by_spend(engine: Engine, limit: int) -> list[dict[str, Any]]:
    """Of all that is summed up, the keys that spent most first."""
    with database.reading(engine) as connection:
        span = Span(0.0, clock.wall_s())
        found = budget_use.used(connection, ("key",), (), span, most=limit)
    rows = []
    for one in found:
        record = keys.get(engine, one.values[0])
        named = {} if record is None else {"key_alias": record.name, "team_id": record.team}
        rows.append({"token": one.values[0], "spend": usd(one.nanousd), **named})
    return rows
