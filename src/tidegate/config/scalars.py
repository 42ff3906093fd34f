"""Readings of one scalar: text to a value of its kind, or ValueError with what was expected."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args
from zoneinfo import available_timezones

from tidegate.core.address import parse_host, parse_listen, parse_origin, parse_url
from tidegate.core.declared_budgets import MAX_BUDGET_USD, Period
from tidegate.core.declared_limits import MAX_WINDOW_S
from tidegate.core.declared_scalars import MAX_USD
from tidegate.core.limit import (
    ATTRIBUTE,
    CALLER_DIMENSIONS,
    GLOBAL,
    TARGET_DIMENSIONS,
    is_dimension,
)
from tidegate.core.periods import time_zone_complaint
from tidegate.core.plan import PeriodUnit
from tidegate.core.units import parse_size_bytes
from tidegate.core.words import nearest

_INT = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)")
_DURATION_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kM]?)")
_THOUSANDS = {"": 1, "k": 1_000, "M": 1_000_000}
_PERCENT = re.compile(r"([0-9]{1,9})\s*%?")
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%?")
_RATE_PERIODS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
_PERIOD_UNITS: tuple[PeriodUnit, ...] = get_args(PeriodUnit)
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")
_DIMENSIONS = f"{', '.join((*CALLER_DIMENSIONS, *TARGET_DIMENSIONS))} or {ATTRIBUTE}NAME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OF_LINES = str.maketrans("", "", "\n\t")
_NANO = Decimal("1e-9")
_OUR_HEADERS = {
    "connection", "content-encoding", "content-length", "content-type", "expect", "host",
    "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
_SECRET_HEADERS = {
    "api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key",
}  # fmt: skip

UNQUOTED = frozenset({"int", "float", "usd", "bool"})  # a number in quotes is text
WORDS = frozenset(
    {
        *("text", "prose", "url", "path", "name", "route", "header", "host", "origin"),
        *("time_zone", "scope", "dimension", "moment"),
    }
)  # `no` and 4.1 need quotes
EXPECTED: Mapping[str, str] = {
    "text": "text",
    "prose": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "size": "a size such as 64MiB, 1GB or 4096",
    "duration": "seconds, or a duration such as 500ms, 10s, 5m, 12h or 90d",
    "usd": "an amount in dollars such as 0.15",
    "money": "an amount in dollars such as $500 or 0.50",
    "quantity": "a whole number such as 600, 200k or 1.5M",
    "percent": "a percentage such as 80%",
    "share": "a share such as 5% or 0.05",
    "percentage": "a percentage such as 99.9%",
    "moment": "a time with its zone such as 2026-12-01T06:00:00Z",
    "rate_period": "second, minute, hour, day, or a duration such as 10s, 5m or 24h",
    "budget_period": f"{', '.join(_PERIOD_UNITS)}, or a duration such as 24h or 30d",
    "time_zone": "a time zone such as Europe/Berlin",
    "dimension": f"one of {_DIMENSIONS}",
    "scope": f"global, {_DIMENSIONS}",
    "url": "a URL such as http://127.0.0.1:8000/v1",
    "listen": "host:port, such as 127.0.0.1:4000",
    "host": "a host name or an IP address",
    "origin": "a web origin such as https://ops.example.com",
    "secret": "a reference to a secret",
    "database": "an address such as postgresql://user@host:5432/database",
    "counters": "an address such as redis://host:6379/0",
    "vectors": "an address such as redis://host:6379/0 or postgresql://user@host:5432/database",
    "path": "a path",
    "name": "a name",
    "route": "a route's name",
    "header": "a header's name",
    "json": "a mapping, or text in JSON",
    "value": "any value",
}


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError
    return int(text)


def _float(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text)


def _bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        return _float(text)
    return float(Decimal(match[1]) * Decimal(str(_DURATION_UNITS_S[match[2]])))


def _size(text: str) -> int:
    if len(text) > 30:
        raise ValueError
    try:
        return parse_size_bytes(text)
    except ValueError:
        raise ValueError from None  # said in the words of `EXPECTED`, as for every reading


def _dollars(text: str, most: Decimal) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    amount = Decimal(text)
    if not 0 <= amount <= most:
        raise ValueError(f"an amount must be from 0 to {most} dollars")
    if amount != amount.quantize(_NANO):
        raise ValueError("an amount has at most 9 decimals: we count in billionths of a dollar")
    return amount


def _usd(text: str) -> Decimal:
    return _dollars(text, MAX_USD)


def _money(text: str) -> Decimal:
    return _dollars(text.removeprefix("$"), MAX_BUDGET_USD)


def _quantity(text: str) -> int:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError
    quantity = Decimal(match[1]) * _THOUSANDS[match[2]]
    if quantity != int(quantity):
        raise ValueError("it must be a whole number")
    return int(quantity)


def _percent(text: str) -> int:
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError
    return int(match[1])


def _share(text: str) -> float:
    number, sign, rest = text.partition("%")
    if rest or not _NUMBER.fullmatch(number.rstrip()):
        raise ValueError
    return float(Decimal(number) / 100) if sign else float(number)


def _percentage(text: str) -> Decimal:
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        raise ValueError
    return Decimal(match[1])


def _moment(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError from None  # said in the words of `EXPECTED`, as for every reading
    if at.tzinfo is None:
        raise ValueError("a time needs its zone: write Z, or +01:00, after it")
    return at.timestamp()


def _rate_period(text: str) -> float:
    return _RATE_PERIODS_S.get(text) or _duration(text)


def _budget_period(text: str) -> Period:
    for unit in _PERIOD_UNITS:
        if text == unit:
            return Period(unit=unit)
    rolling_s = _duration(text)
    if not 1 <= rolling_s <= MAX_WINDOW_S:
        raise ValueError("a duration here is from 1s to 366d")
    return Period(rolling_s=rolling_s)


def _time_zone(text: str) -> str:
    if not _TIME_ZONE.fullmatch(text):
        raise ValueError
    if time_zone_complaint(text) is not None:
        near = nearest(text, available_timezones())
        raise ValueError(f"this machine knows no time zone of that name{near}")
    return text


def _dimension(text: str) -> str:
    if not is_dimension(text):
        raise ValueError
    return text


def _scope(text: str) -> str:
    return text if text == GLOBAL else _dimension(text)


def _url(text: str) -> str:
    parse_url(text)
    return text


def _text(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ValueError("it holds a control character")
    return text


def _prose(text: str) -> str:
    _text(text.translate(_OF_LINES))
    return text


def _path(text: str) -> str:
    _text(text)
    if not text or len(text) > 4096:
        raise ValueError("a path has from 1 to 4096 characters")
    if text.startswith("~"):
        raise ValueError("`~` is not expanded here; write ${HOME} instead")
    return str(Path(text))


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name is letters, digits, `.`, `_` and `-`, and starts with no sign")
    return text


def _route(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        raise ValueError("a route's name has no control characters and no spaces around it")
    return text


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("this is not the name of a header")
    if text.lower() in _OUR_HEADERS:
        raise ValueError(f"the gateway writes the header {text.lower()} itself")
    if text.lower() in _SECRET_HEADERS:
        raise ValueError(f"{text.lower()} carries a credential; write api_key instead")
    return text.lower()


READERS: Mapping[str, Callable[[str], Any]] = {
    "text": _text,
    "prose": _prose,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "size": _size,
    "duration": _duration,
    "usd": _usd,
    "money": _money,
    "quantity": _quantity,
    "percent": _percent,
    "share": _share,
    "percentage": _percentage,
    "moment": _moment,
    "rate_period": _rate_period,
    "budget_period": _budget_period,
    "time_zone": _time_zone,
    "dimension": _dimension,
    "scope": _scope,
    "url": _url,
    "listen": parse_listen,
    "host": parse_host,
    "origin": parse_origin,
    "path": _path,
    "name": _name,
    "route": _route,
    "header": _header,
}
