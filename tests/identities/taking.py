"""Takes a plug's steps as the gateway does, from files and servers that are tables."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from tidegate.core.sign_in import Around, Fetch, Fetched, Lease, ReadFile, Sign, Step

NOW_S = 1_790_000_000.0
SIGNATURE = b"\xfb\xff signed"


class Taken(NamedTuple):
    """What it came to, and what was asked on the way, in order."""

    lease: Lease
    asked: list[Fetch]
    signed: list[Sign]


def take(
    plug: Any,
    wanted: Any,
    answer: Callable[[Fetch], Fetched] | Fetched | None = None,
    *,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Taken:
    """NotSignedIn where it comes to nothing."""
    steps = plug.steps(wanted, Around(environ or {}, NOW_S))
    asked: list[Fetch] = []
    signed: list[Sign] = []
    told: Any = None
    while True:
        try:
            step: Step = steps.send(told)
        except StopIteration as end:
            return Taken(end.value, asked, signed)
        if isinstance(step, ReadFile):
            told = (files or {}).get(step.path)
        elif isinstance(step, Sign):
            signed.append(step)
            told = SIGNATURE
        else:
            asked.append(step)
            assert answer is not None, step
            told = answer if isinstance(answer, Fetched) else answer(step)


def told(status: int = 200, date_s: float | None = None, **members: Any) -> Fetched:
    return Fetched(status, msgspec.json.encode(members), date_s)


def form_of(step: Fetch) -> dict[str, str]:
    return {name: one for name, (one,) in parse_qs(step.body.decode()).items()}


def token_of(lease: Lease) -> str:
    assert lease.token is not None and lease.key is None
    return lease.token.reveal()
