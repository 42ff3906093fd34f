"""Plan values as a person reads them."""

from datetime import UTC, datetime
from zlib import crc32

from tidegate.core.address import bracketed
from tidegate.core.limit import SPEND
from tidegate.core.plan import Limit, Replica, Route
from tidegate.core.price import Price, Rate
from tidegate.core.resilience import Deadlines
from tidegate.core.secret import SecretRef
from tidegate.core.units import format_usd
from tidegate.core.words import quoted

UNKNOWN = "unknown"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CENT_DIGITS = 2


def usd_text(nanousd: int) -> str:
    """Dollars without loss: at least cents, no zeros after them."""
    whole, _, rest = format_usd(nanousd).partition(".")
    return f"{whole}.{rest.ljust(_CENT_DIGITS, '0')}"


def rate_text(rate: Rate | None) -> str:
    """Dollars a million tokens, with each tier's start."""
    if rate is None:
        return "-"
    tiers = "".join(f", {usd_text(usd)} above {start} input" for start, usd in rate.tiers)
    return usd_text(rate.nanousd_per_mtok) + tiers


def price_text(price: Price | None) -> str:
    """The whole price in one line: `in 0.15, out 0.60 USD/Mtok`."""
    if price is None:
        return UNKNOWN
    if price.source == "free":
        return "free"
    rates = (
        ("in", price.input),
        ("cache read", price.cache_read),
        ("cache write", price.cache_write),
        ("cache write 1h", price.cache_write_1h),
        ("out", price.output),
        ("reasoning", price.reasoning),
        ("audio in", price.audio_input),
        ("audio out", price.audio_output),
        ("image in", price.image_input),
        ("image out", price.image_output),
    )
    said = ", ".join(f"{name} {rate_text(rate)}" for name, rate in rates if rate is not None)
    said = ", ".join(filter(None, (f"{said} USD/Mtok" if said else "", *_unit_texts(price))))
    request = f" + {usd_text(price.request_nanousd)} USD/request" if price.request_nanousd else ""
    tiers = "".join(f"; {name}: {price_text(one)}" for name, one in price.service_tiers)
    return f"{said}{request}{tiers}"


def _unit_texts(price: Price) -> list[str]:
    """What is sold by other units than tokens: `1024x1024 hd 0.08 USD/image`."""
    told = [
        " ".join(filter(None, (it.size, it.quality, f"{usd_text(it.nanousd)} USD/image")))
        for it in price.images
    ]
    for nanousd, unit in (
        (price.audio_nanousd_per_h, "hour of audio"),
        (price.nanousd_per_mchar, "Mchar"),
        (price.search_nanousd, "search"),
    ):
        if nanousd is not None:
            told.append(f"{usd_text(nanousd)} USD/{unit}")
    return told


def short_price_text(price: Price | None) -> str:
    """Input and output of a plain request, dollars a million tokens: `0.15 / 0.60`."""
    if price is None or price.source == "free" or (price.input is None and price.output is None):
        return price_text(price)
    sides = (price.input, price.output)
    texts = [usd_text(r.nanousd_per_mtok) if r else "-" for r in sides]
    return " / ".join(texts) + (" +tiers" if any(r and r.tiers for r in sides) else "")


def deadlines_text(deadlines: Deadlines) -> str:
    """Connect, first token, gap and total, in seconds."""
    bounds = (
        deadlines.connect_s,
        deadlines.first_token_s,
        deadlines.gap_s,
        deadlines.total_s,
    )
    return " / ".join(f"{b:g}" for b in bounds)


def url_text(replica: Replica) -> str:
    port = "" if replica.port == _DEFAULT_PORTS[replica.scheme] else f":{replica.port}"
    return f"{replica.scheme}://{bracketed(replica.host)}{port}{replica.path}"


def credential_text(credential: SecretRef | None) -> str:
    return "none" if credential is None else str(credential)


def limit_texts(limit: Limit) -> tuple[str, str, str, str]:
    """What it allows, what has a counter of its own each, for which requests, and what happens
    beyond it."""
    notes = [_allowed_text(limit)]
    if limit.burst is not None:
        notes.append(f"{limit.burst} at once")
    if limit.count != "total":
        notes.append(f"counts {limit.count}")
    if limit.cached_weight != 1:
        notes.append(f"cached x {limit.cached_weight:g}")
    beyond: str = f"degrade, then {limit.on_excess}" if limit.degrades else limit.on_excess
    if limit.alert_percents:
        beyond += f", alerts at {'/'.join(map(str, limit.alert_percents))} %"
    for one in limit.raises:
        until = datetime.fromtimestamp(one.until_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        whose = "".join(f" for {dimension} {value}" for dimension, value in one.scope)
        notes.append(f"{_amount_text(limit, one.extra)} more{whose} until {until}")
    only = ", ".join(f"{dimension} {value}" for dimension, value in limit.only)
    return ", ".join(notes), " + ".join(limit.scope), only, beyond


def limit_text(limit: Limit) -> str:
    """The whole limit in one line: `requests 600 per 1m, each key; beyond it: refuse`."""
    allows, each, only, beyond = limit_texts(limit)
    parts = [allows]
    if each:
        parts.append(f"each {each}")
    if only:
        parts.append(f"only {only}")
    return f"{limit.kind} {', '.join(parts)}; beyond it: {beyond}"


def _amount_text(limit: Limit, amount: int) -> str:
    return f"${usd_text(amount)}" if limit.kind == SPEND else str(amount)


def _allowed_text(limit: Limit) -> str:
    """`600 per 1m`, `$500.00 per month in Europe/Berlin`."""
    amount = _amount_text(limit, limit.amount)
    if limit.unit is not None:
        if limit.unit == "lifetime":
            return f"{amount} in all"
        place = "" if limit.time_zone == "UTC" else f" in {limit.time_zone}"
        return f"{amount} per {limit.unit}{place}"
    if limit.per_s is None:
        return amount
    length = _duration_text(limit.per_s)
    return f"{amount} in any {length}" if limit.kind == SPEND else f"{amount} per {length}"


def _duration_text(duration_s: float) -> str:
    for unit, length_s in (("d", 86_400), ("h", 3600), ("m", 60)):
        if duration_s % length_s == 0:
            return f"{duration_s / length_s:g}{unit}"
    return f"{duration_s:g}s"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Columns under their heads, two spaces apart, no line with spaces at its end."""
    widths = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def unsupported_text(route: Route) -> str:
    """What becomes of a request's parts for which a target has no place, as the plan has it."""
    return "drop" if route.drops_unsupported else "refuse"


def prompt_text(prompt: str) -> str:
    """How a prompt begins, and what tells it from another that begins so."""
    return f"{quoted(prompt)} ({len(prompt)} characters, {crc32(prompt.encode()):08x})"
