"""The probes of a plan's targets, from what targets and their providers declare."""

from collections.abc import Callable, Mapping

from tidegate.core.assemble import Dialect, Path, Say
from tidegate.core.declared import Declared
from tidegate.core.declared_probes import DeclaredExpect, DeclaredProbe
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.facts import Checks
from tidegate.core.plan import Target
from tidegate.core.pricing import Ceiling
from tidegate.core.probe import (
    LEAST_EVERY_S,
    OUTPUT_TOKENS,
    THINKING_OUTPUT_TOKENS,
    Expect,
    Probe,
)
from tidegate.core.units import format_usd, usd_to_nanousd
from tidegate.core.words import quoted

# A probe has a connection beside those that requests may use.
LEAST_CONNECTIONS = 2


def compile_probes(
    declared: Declared,
    targets: Mapping[str, Target],
    dialect_of: Callable[[Target], Dialect],
    checks: Checks,
    say: Say,
) -> dict[str, Probe]:
    """By the target's name, of those of `targets` that are to be probed."""
    found = {}
    for name, target in targets.items():
        path, probe = _declared(declared, name, target)
        if probe is not None:
            found[name] = _probe(probe, target, path, checks, say)
            _check(found[name], target, dialect_of(target), path, say)
    return found


def _check(probe: Probe, target: Target, dialect: Dialect, path: Path, say: Say) -> None:
    """Whether the target can be probed so, and what bounds its cost."""
    if probe.endpoint not in dialect.endpoints:
        say((*path, "endpoint"), f"{quoted(target.dialect)} does not serve {probe.endpoint}")
    if target.price is None and dialect.hosted:
        say(path, "nobody knows what a probe costs here; write the target's `price:`")
    if target.max_connections < LEAST_CONNECTIONS:
        say(path, "with one connection (`max_connections`) there is none left for a probe")
    most_nanousd = _most_nanousd(probe, target)
    if most_nanousd > probe.nanousd_per_hour > 0:
        say(
            (*path, "usd_per_hour"),
            f"a single probe may cost ${format_usd(most_nanousd)}, so none would be sent; "
            "allow more, or lower `max_tokens`",
        )


def _most_nanousd(probe: Probe, target: Target) -> int:
    """The most that one can cost, but for the few bytes around its text; 0 where nobody knows."""
    if target.price is None:
        return 0
    text = probe.prompt + (probe.system or "")
    output_tokens = probe.max_tokens if probe.endpoint == "chat" else 0
    return Ceiling(target.price).nanousd(len(text.encode()), output_tokens) or 0


def _declared(declared: Declared, name: str, target: Target) -> tuple[Path, DeclaredProbe | None]:
    """The target's own, else its provider's, and where that stands."""
    above: Path = ("providers", target.provider, "probe")
    path: Path = ("targets", target.pool)
    own = declared.targets.get(target.pool)
    route = declared.routes.get(name)
    if own is None and route is not None and isinstance(route.target, DeclaredTarget):
        own, path = route.target, ("routes", name, "target")
    if own is not None and own.probe is not None:
        return (*path, "probe"), None if own.probe == "none" else own.probe
    return above, declared.providers[target.provider].probe


def _probe(declared: DeclaredProbe, target: Target, path: Path, checks: Checks, say: Say) -> Probe:
    if declared.every_s < LEAST_EVERY_S:
        say((*path, "every_s"), f"a probe more often than every {LEAST_EVERY_S:g} s is a load")
    timeout_s = declared.timeout_s or min(Probe().timeout_s, declared.every_s)
    if timeout_s > declared.every_s:
        say(
            (*path, "timeout_s"),
            f"a probe may last longer ({timeout_s:g} s) than until the next "
            f"(every_s: {declared.every_s:g} s)",
        )
    nanousd = usd_to_nanousd(declared.usd_per_hour)
    if not nanousd:
        say((*path, "usd_per_hour"), "nothing may be spent, so no probe that costs is ever sent")
    if declared.endpoint == "embeddings":
        for name in ("expect", "system", "max_tokens"):
            if getattr(declared, name) is not None:
                say((*path, name), "embeddings have none: only whether they come is looked at")
    usual = THINKING_OUTPUT_TOKENS if target.hides_reasoning else OUTPUT_TOKENS
    return Probe(
        every_s=declared.every_s,
        timeout_s=timeout_s,
        endpoint=declared.endpoint,
        prompt=declared.prompt,
        system=declared.system,
        max_tokens=declared.max_tokens or usual,
        nanousd_per_hour=nanousd,
        expect=_expect(declared.expect, (*path, "expect"), checks, say),
    )


def _expect(declared: DeclaredExpect | None, path: Path, checks: Checks, say: Say) -> Expect | None:
    if declared is None:
        return None
    asked = (declared.contains, declared.regex, declared.json, declared.json_schema)
    if not any(asked) and declared.max_length is None:
        say(path, "this asks nothing; write contains, regex, json, json_schema or max_length")
    if declared.contains is not None and declared.regex is not None:
        say((*path, "contains"), "`regex` is written too; remove one of them")
    if declared.regex is not None and (wrong := checks.wrong_regex(declared.regex)):
        say((*path, "regex"), wrong)
    if declared.json_schema is not None and (wrong := checks.wrong_schema(declared.json_schema)):
        say((*path, "json_schema"), wrong)
    return Expect(
        contains=declared.contains,
        regex=declared.regex,
        json=declared.json,
        json_schema=declared.json_schema,
        max_length=declared.max_length,
    )
