"""A route's targets, their shares, its fallbacks: from what is declared to what requests obey."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import asdict

from tidegate.core.assemble import Path, Say
from tidegate.core.declared_routes import DeclaredRetry, DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Release, Route, Share, Target
from tidegate.core.resilience import FAILURE_CLASSES, MAX_FALLBACKS, FailureClass, Retry
from tidegate.core.units import usd_to_nanousd
from tidegate.core.words import quoted

# The target that a name or a written-out target stands for; None, and a complaint, where none does.
Find = Callable[[str | DeclaredTarget, Path], Target | None]
# Of these two of OpenAI's a request has one.
CEILINGS: Final = ("max_tokens", "max_completion_tokens")
MAX_OUTPUT_TOKENS: Final = 100_000_000
# Members of a request's body that say what is asked, by whom and how it is answered.
NO_PARAMETERS: Final = frozenset(
    {
        *("model", "messages", "prompt", "input", "system", "instructions", "tools", "functions"),
        *("stream", "stream_options", "n", "best_of", "user", "metadata", "store", "background"),
        *("previous_response_id", "conversation"),
    }
)
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
Fallbacks = tuple[tuple[FailureClass, tuple[Target, ...]], ...]


def compile_route(
    name: str, route: DeclaredRoute, find: Find, digest: Callable[[object], str], say: Say
) -> Route | None:
    """The route; None where a target of it is not to be had. `digest` names the release."""
    path: Path = ("routes", name)
    shares = _shares(path, route, find, say)
    fallbacks = _fallbacks(path, route, find, say)
    if route.retry.base_s > route.retry.cap_s:
        say((*path, "retry", "base_s"), "the first pause is longer than the longest, `cap_s`")
    if not shares:
        return None
    _check_fallbacks(path, shares, fallbacks, say)
    first, *others = shares
    parameters = _parameters((*path, "parameters"), route.parameters, say)
    content: object = (shares, route.balance) if others else first.target
    if parameters or route.system_prompt is not None:
        content = (content, parameters, route.system_prompt)
    release = Release(f"{name}@{digest(content)}", first.target, first.weight, tuple(others))
    drops = route.unsupported == "drop"
    return Route(
        name=name,
        release=release,
        balance=route.balance,
        fallbacks=fallbacks,
        retry=_retry(route.retry),
        drops_unsupported=drops,
        parameters=parameters,
        system_prompt=route.system_prompt,
        prefix_marks=route.prefix_marks,
    )


def _shares(path: Path, route: DeclaredRoute, find: Find, say: Say) -> tuple[Share, ...]:
    if route.target is not None:
        if route.targets:
            say((*path, "targets"), "`target` is written too; remove one of them")
        found = find(route.target, (*path, "target"))
        return () if found is None else (Share(found),)
    if not route.targets:
        say(path, "`target` is missing; or write several below `targets:`, each with its weight")
        return ()
    shares = []
    for wanted, weight in route.targets.items():
        found = find(wanted, (*path, "targets", wanted))
        if found is not None:
            shares.append(Share(found, weight))
    return tuple(shares) if len(shares) == len(route.targets) else ()


def _fallbacks(path: Path, route: DeclaredRoute, find: Find, say: Say) -> Fallbacks:
    out = []
    for failure in FAILURE_CLASSES:
        named = getattr(route.fallbacks, failure)
        at = (*path, "fallbacks", failure)
        if len(named) > MAX_FALLBACKS:
            say(at, f"a request falls back {MAX_FALLBACKS} times at most; these are {len(named)}")
        targets = []
        for index, wanted in enumerate(named):
            if wanted in named[:index]:
                say((*at, str(index)), f"{quoted(wanted)} is here twice; a target is asked once")
                continue
            found = find(wanted, (*at, str(index)))
            if found is not None:
                targets.append(found)
        if targets:
            out.append((failure, tuple(targets)))
    return tuple(out)


def _check_fallbacks(path: Path, shares: tuple[Share, ...], fallbacks: Fallbacks, say: Say) -> None:
    """No request comes to a target again, and who overflowed needs more room."""
    pool = {share.target.name for share in shares}
    contexts = [share.target.context_tokens for share in shares]
    widest = 0 if None in contexts else max(context or 0 for context in contexts)
    for failure, targets in fallbacks:
        for index, target in enumerate(targets):
            at = (*path, "fallbacks", failure, str(index))
            if target.name in pool:
                say(at, f"the route comes to {quoted(target.name)} anyway, and asks a target once")
            elif failure == "overflow" and (target.context_tokens or widest + 1) <= widest:
                say(at, f"its context ({target.context_tokens}) is no larger than {widest}")


def _parameters(path: Path, text: str | None, say: Say) -> tuple[tuple[str, str], ...]:
    """The members, each value as JSON, by name."""
    if text is None:
        return ()
    try:
        members = _members(text)
    except (msgspec.DecodeError, RecursionError):
        say(path, "write a mapping of parameters, such as `{temperature: 0.2}`")
        return ()
    for name, value in members.items():
        if name in NO_PARAMETERS:
            say((*path, name), "that is the caller's to say, and no parameter of the model's")
        elif name in CEILINGS and not is_tokens(bytes(value)):
            say((*path, name), f"it must be a whole number of tokens, up to {MAX_OUTPUT_TOKENS}")
    return tuple((name, bytes(value).decode()) for name, value in sorted(members.items()))


def is_tokens(text: bytes) -> bool:
    """Whether a parameter's JSON is a number of tokens that may bound an output."""
    return text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_OUTPUT_TOKENS


def _retry(declared: DeclaredRetry) -> Retry:
    values: dict[str, Any] = asdict(declared)
    usd = values.pop("wasted_usd_per_hour")
    return Retry(**values, wasted_nanousd_per_hour=usd_to_nanousd(usd))
