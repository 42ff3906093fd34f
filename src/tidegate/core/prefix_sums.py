"""What providers' prefix caches had of a route's input and saved, as it is told to operators."""

from msgspec import Struct


class PrefixSums(Struct, frozen=True, omit_defaults=True):
    """Of the requests of one route, version of its prompt and model whose input is known; empty
    names stand for absent ones.

    `untold` requests did not tell what of their `input_tokens` was cached, and `told_tokens` is the
    input of the others, of which `read_tokens` were read from a cache and `written_tokens` written
    to one. `saved_nanousd` is the known saving, net of what writes cost; of `saved_unknown`
    requests nobody knows it. `usage_unknown` counts requests that reached a provider and whose
    tokens nobody knows; they are in no other figure.
    """

    route: str
    prompt_version: str
    model: str
    requests: int
    untold: int
    input_tokens: int
    told_tokens: int
    read_tokens: int
    written_tokens: int
    saved_nanousd: int
    saved_unknown: int
    usage_unknown: int = 0

    @property
    def cached_share(self) -> float | None:
        """Of the input of requests that told; None where none did."""
        return self.read_tokens / self.told_tokens if self.told_tokens else None

    @property
    def least_cached_share(self) -> float | None:
        """Of all input, as if those that did not tell had had nothing cached; None where nobody
        told."""
        return self.read_tokens / self.input_tokens if self.told_tokens else None
