"""Who is being asked, and how often: so many requests at once of each provider, so that one that
hangs leaves room for the others, and a page that says how it goes.

A gateway's connections to this process (512) are one lot for all of its providers, so what may be
under way at one of them is a part of that. A provider whose SDK works in threads keeps one for each
request that hangs: there are enough (`THREADS`) for several that do.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

AT_ONCE: Final = 128
THREADS: Final = 512
# Of providers that are told apart on the page; the rest are one.
_MOST_NAMES: Final = 64
_NAME: Final = re.compile(r"[a-z0-9_.-]{1,40}")
_OTHERS: Final = "other"
_WORDS: Final = {
    "requests_in_flight": ("gauge", "Requests that a provider is asked now."),
    "requests_total": ("counter", "Requests that a provider was asked."),
    "failures_total": ("counter", "Requests of which nothing came but an error."),
    "left_total": ("counter", "Requests whose gateway left before their end."),
    "refused_total": ("counter", "Requests that found too many others at their provider."),
}


class Busy(Exception):
    """The provider is asked as much as it may be at once."""

    retry_after = "1"


class Places:
    """Used inside one event loop."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._in_flight: Counter[str] = Counter()
        self._names: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def taken(self, provider: str) -> Iterator[None]:
        """A place for one request, until it has ended. Busy."""
        if self._in_flight[provider] >= self._at_once:
            self._count("refused_total", provider)
            message = f"{self._at_once} requests are under way at {provider[:80]} already"
            raise Busy(message)
        self._in_flight[provider] += 1
        self._count("requests_total", provider)
        try:
            yield
        except Exception:
            self._count("failures_total", provider)
            raise
        except BaseException:
            self._count("left_total", provider)
            raise
        finally:
            self._in_flight[provider] -= 1
            if not self._in_flight[provider]:
                del self._in_flight[provider]

    def page(self) -> bytes:
        """In Prometheus's text format."""
        figures = self._counts.copy()
        for provider, count in self._in_flight.items():
            figures["requests_in_flight", self._label(provider)] += count
        lines = []
        for name, (kind, what) in _WORDS.items():
            whole = f"tidegate_any_llm_{name}"
            lines += [f"# HELP {whole} {what}", f"# TYPE {whole} {kind}"]
            lines += [
                f'{whole}{{provider="{label}"}} {figures[word, label]}'
                for word, label in sorted(figures)
                if word == name
            ]
        return ("\n".join(lines) + "\n").encode()

    def _count(self, name: str, provider: str) -> None:
        self._counts[name, self._label(provider)] += 1

    def _label(self, provider: str) -> str:
        if provider not in self._names:
            if len(self._names) >= _MOST_NAMES or not _NAME.fullmatch(provider):
                return _OTHERS
            self._names.add(provider)
        return provider
