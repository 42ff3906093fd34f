"""What a receipt's tokens cost at a price, in whole nano-dollars."""

from tidegate.core.price import Price, Rate
from tidegate.core.receipt import Receipt


def cost_nanousd(receipt: Receipt, price: Price) -> int | None:
    """What the receipt's tokens cost at `price`, rounded once, half up; None when unknown.

    A class without a rate of its own is charged as its parent: cache reads and writes as plain
    input, reasoning as output. That is how providers bill the classes they do not list. A class
    that was used and has no rate at all, even so, makes the whole cost unknown, never 0; audio has
    no parent, nor have writes to a cache that are kept for an hour, which are dearer than others.
    """
    if price.source == "free":
        return 0
    read, written = receipt.input_tokens, receipt.output_tokens
    if read is None or (written is None and receipt.endpoint != "embeddings"):
        return None
    plain = price.input
    if (
        plain is not None
        and price.output is not None
        and not (receipt.cache_read_tokens or receipt.cache_write_tokens)
        and not (receipt.reasoning_tokens or receipt.audio_input_tokens)
        and not receipt.audio_output_tokens
        and not (plain.tiers or price.output.tiers)
    ):  # as most are
        charged = read * plain.nanousd_per_mtok + (written or 0) * price.output.nanousd_per_mtok
        return price.request_nanousd + (charged + 500_000) // 1_000_000
    classes = [(read, plain), (written, price.output)]
    if receipt.audio_input_tokens or receipt.audio_output_tokens:
        classes = _with_audio(receipt, price)
    if receipt.cache_read_tokens or receipt.cache_write_tokens or receipt.reasoning_tokens:
        hour = receipt.cache_write_1h_tokens or 0
        by_hour = price.source == "gpu_hour"  # a token is a token there
        classes += [
            (receipt.cache_read_tokens, price.cache_read or price.input),
            ((receipt.cache_write_tokens or 0) - hour, price.cache_write or price.input),
            (hour, price.input if by_hour else price.cache_write_1h),
            (receipt.reasoning_tokens, price.reasoning or price.output),
        ]
        read = receipt.total_input_tokens or 0
    charged = 0
    for tokens, rate in classes:
        if tokens:
            if rate is None:
                return None
            charged += tokens * (rate.at(read) if rate.tiers else rate.nanousd_per_mtok)
    return price.request_nanousd + (charged + 500_000) // 1_000_000


def prefix_saved_nanousd(receipt: Receipt, price: Price) -> int | None:
    """What the provider's cache saved of the input's cost at `price`, in nano-dollars rounded once,
    half up: what the tokens read from it would have cost as plain input, less what they cost, less
    what those written to it cost beyond plain input. Below 0 where writes cost more than reads
    saved; None when a rate that counts in it is unknown, or nobody told what was cached.
    """
    if receipt.input_tokens is None or not receipt.tells_prefix:
        return None
    read, hour = receipt.cache_read_tokens or 0, receipt.cache_write_1h_tokens or 0
    written = (receipt.cache_write_tokens or 0) - hour
    if price.source in ("free", "gpu_hour") or not (read or written or hour):
        return 0  # a token is a token
    plain = price.input
    charged = (
        (read, price.cache_read or plain),
        (written, price.cache_write or plain),
        (hour, price.cache_write_1h),
    )
    whole, saved = receipt.total_input_tokens or 0, 0
    for tokens, rate in charged:
        if tokens:
            if rate is None or plain is None:
                return None
            saved += tokens * (plain.at(whole) - rate.at(whole))
    return (saved + 500_000) // 1_000_000


def _with_audio(receipt: Receipt, price: Price) -> list[tuple[int | None, Rate | None]]:
    """Plain input and output, text and audio apart. Audio that was cached has no rate."""
    by_hour = price.source == "gpu_hour"  # a token is a token there
    sides = (
        (receipt.input_tokens, receipt.audio_input_tokens, price.input, price.audio_input),
        (receipt.output_tokens, receipt.audio_output_tokens, price.output, price.audio_output),
    )
    classes: list[tuple[int | None, Rate | None]] = []
    for whole, audio, of_text, of_audio in sides:
        text = (whole or 0) - (audio or 0)
        classes += [
            (text, of_text if text >= 0 else None),
            (audio, of_text if by_hour else of_audio),
        ]
    return classes
