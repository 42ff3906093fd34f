"""A receipt's latency as one bar: where the time went, from accept to the last byte."""

from msgspec import Struct

from tidegate.core.receipt import Receipt
from tidegate.core.units import format_usd

_WIDEST = 100
_NARROWEST = 40
_MILLISECONDS = 1000.0


class Phase(Struct, frozen=True):
    """One stretch of a request's time; `seconds` of None is unknown and takes no room."""

    name: str
    seconds: float | None
    fill: str


def phases(receipt: Receipt) -> list[Phase]:
    """The split of the receipt's time, in the order in which it passed. Earlier attempts are named
    where there were some."""
    earlier = [Phase("earlier attempts", receipt.earlier_s, "▚")]
    return [
        Phase("gateway", receipt.gateway_s, "▒"),
        *(earlier if receipt.earlier_s is not None else ()),
        Phase("queue", receipt.queue_s, "·"),
        Phase("connect", receipt.connect_s, "░"),
        Phase("first token", receipt.first_token_s, "▓"),
        Phase("generation", receipt.generation_s, "█"),
    ]


def bar(parts: list[Phase], cells: int) -> str:
    """The phases side by side in exactly `cells` cells; empty when none took any time.

    A phase that took time has at least one cell, as long as there are cells for all of them; the
    rest is shared by largest remainder, so that the lengths add up.
    """
    taken = [
        (part, part.seconds) for part in parts if part.seconds is not None and part.seconds > 0
    ]
    total_s = sum(seconds for _, seconds in taken)
    if not taken or cells < len(taken):
        return ""
    free = cells - len(taken)
    shares = [seconds / total_s * free for _, seconds in taken]
    lengths = [1 + int(share) for share in shares]
    by_remainder = sorted(range(len(taken)), key=lambda i: int(shares[i]) - shares[i])
    for i in by_remainder[: cells - sum(lengths)]:
        lengths[i] += 1
    return "".join(part.fill * length for (part, _), length in zip(taken, lengths, strict=True))


def duration(seconds: float | None) -> str:
    """`0.32 ms`, `45 ms`, `1.24 s`; `unknown` for None."""
    if seconds is None:
        return "unknown"
    milliseconds = seconds * _MILLISECONDS
    if milliseconds < 10:
        return f"{milliseconds:.2f} ms"
    return f"{milliseconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def cost(receipt: Receipt) -> str:
    """`$0.000123`; the most that it can be where nobody knows it, which is below nothing where
    what a batch has held is held no more; `unknown price` where nobody knows that either."""
    most = receipt.most_nanousd
    if receipt.cost_nanousd is not None:
        return f"${format_usd(receipt.cost_nanousd)}"
    if most is None:
        return "unknown price"
    return f"at most ${format_usd(most)}" if most >= 0 else f"${format_usd(-most)} held no more"


def tokens(receipt: Receipt) -> str:
    """`12 in, 40 out`, with cached and reasoning tokens where there are any."""
    total_input = receipt.total_input_tokens
    parts = [
        f"{'unknown' if total_input is None else total_input} in",
        f"{receipt.cache_read_tokens} of them from cache" if receipt.cache_read_tokens else "",
        f"{'unknown' if receipt.output_tokens is None else receipt.output_tokens} out",
        f"{receipt.reasoning_tokens} reasoning" if receipt.reasoning_tokens else "",
    ]
    estimated = " (estimated)" if receipt.tokens_estimated else ""
    return ", ".join(part for part in parts if part) + estimated


def picture(receipt: Receipt, columns: int) -> str:
    """The whole picture of a receipt in lines of at most `columns` cells, where names permit."""
    width = max(_NARROWEST, min(columns, _WIDEST)) - 4
    known = phases(receipt)
    lines = [bar(known, width)]
    legend = [f"{part.fill} {part.name} {duration(part.seconds)}" for part in known]
    lines += _wrapped(legend, width, "   ")
    facts = [f"total {duration(receipt.total_s)}"]
    if receipt.ttft_s is not None:
        facts.append(f"first token after {duration(receipt.ttft_s)}")
    if receipt.output_tokens_per_s is not None:
        facts.append(f"{receipt.output_tokens_per_s:.0f} tokens/s")
    facts += [tokens(receipt), cost(receipt)]
    lines += _wrapped(facts, width, " | ")
    ending = receipt.finish_reason or receipt.error_code or "no finish reason"
    names = [
        f"{receipt.route or 'no route'} -> {receipt.target or 'no target'}",
        f"status {'unknown' if receipt.status is None else receipt.status}, {ending}",
        f"receipt {receipt.id}",
    ]
    lines += _wrapped(names, width, " | ")
    return "\n".join(f"  {line}" for line in lines if line)


def _wrapped(parts: list[str], width: int, between: str) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(between) + len(part) <= width:
            lines[-1] += between + part
        else:
            lines.append(part)
    return lines
