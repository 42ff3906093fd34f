"""How long a turn may take: a time of its own, and some for each token of its answer."""

from msgspec import Struct

from tidegate.core.receipt import Receipt


class TurnBound(Struct, frozen=True, omit_defaults=True):
    """`within_s`, and `per_output_token_s` more for each token of the answer."""

    within_s: float
    per_output_token_s: float = 0.0

    def most_s(self, output_tokens: float) -> float:
        return self.within_s + self.per_output_token_s * output_tokens


def in_time(receipt: Receipt, took_s: float, bound: TurnBound) -> bool | None:
    """Whether a turn that took so long was good.

    The answer's tokens are what was generated, reasoning with it; of several choices, which are
    generated side by side, the mean. Where nobody knows them it was good if it would be without a
    token, and bad if it would be with as many as its caller allowed; else None.
    """
    if took_s <= bound.within_s:
        return True
    if not bound.per_output_token_s:
        return False
    if receipt.output_tokens is not None:
        tokens = receipt.output_tokens + (receipt.reasoning_tokens or 0)
        return took_s <= bound.most_s(tokens / max(receipt.choices, 1))
    ceiling = receipt.output_ceiling_tokens
    return False if ceiling is not None and took_s > bound.most_s(ceiling) else None
