"""How commands write and read times, and line up tables."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import click

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DOLLARS = re.compile(r"\d{1,12}(\.\d{1,9})?")
_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])")


class Duration(click.ParamType[float]):
    """`90d`, `12h`, `30m`, `45s`, `2w` as seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no duration such as 90d, 12h or 30m", param, ctx)
        return float(int(match[1]) * _UNITS_S[match[2]])


class Moment(click.ParamType[float]):
    """`2026-03-01T12:00Z` or `2026-03-01 12:00+01:00` as wall-clock seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, int | float):
            return float(value)
        try:
            at = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-03-01T12:00Z", param, ctx)
        if at.tzinfo is None:
            self.fail(f"{value!r} does not say its zone: write {value}Z or +01:00", param, ctx)
        return at.timestamp()


class Usd(click.ParamType[Decimal]):
    """`500`, `0.05`, `$12.5` as exact dollars."""

    name = "dollars"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        text = str(value).strip().removeprefix("$")
        if _DOLLARS.fullmatch(text) is None:
            self.fail(f"{value!r} is no amount in dollars such as 500 or 0.05", param, ctx)
        return Decimal(text)


def about(seconds: float) -> str:
    """`2d 5h`, `59m 54s`: a time by its two largest units."""
    left, found = round(seconds), []
    for unit, size_s in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size_s)
        found.append((count, unit))
    first = next((at for at, (count, _) in enumerate(found) if count), len(found) - 1)
    shown = [f"{count}{unit}" for count, unit in found[first : first + 2] if count]
    return " ".join(shown) or "0s"


def moment(at_s: float | None, absent: str = "-") -> str:
    """`2026-03-01 12:00:00Z`; `absent` for None."""
    if at_s is None:
        return absent
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, as wide as their widest cell."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """`k=v` options as a mapping."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
        found[name] = value
    return found
