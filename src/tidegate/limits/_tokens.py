"""Tokens as a settled receipt tells them; None when nobody knows."""

from tidegate.core.receipt import NO_OUTPUT, Receipt


def input_tokens(receipt: Receipt) -> int | None:
    return receipt.total_input_tokens


def output_tokens(receipt: Receipt) -> int | None:
    if receipt.output_tokens is None:
        return 0 if receipt.endpoint in NO_OUTPUT else None
    return receipt.output_tokens + (receipt.reasoning_tokens or 0)


def total_tokens(receipt: Receipt) -> int | None:
    read, written = receipt.input_tokens, receipt.output_tokens
    if read is None or written is None:
        return receipt.total_input_tokens if receipt.endpoint in NO_OUTPUT else None
    cached = (receipt.cache_read_tokens or 0) + (receipt.cache_write_tokens or 0)
    return read + cached + written + (receipt.reasoning_tokens or 0)
