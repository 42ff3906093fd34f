"""A route `small` that is asked by a prompt, and versions of that prompt."""

from typing import Any

from tests.gateway.routed import routed

from tidegate.core.plan import Target
from tidegate.core.prompt import Input, Prompt, RoutePrompt, Tagged, Turn

NAME = "support"
INPUTS = (Input("product"), Input("tone", default='"calm"'))
SYSTEM = Turn("system", "You answer for {{ product }}, in a {{ tone }} tone.")
QUESTION = Turn("user", "What is {{ product }}?")


def version(name: str, *turns: Turn, **fields: Any) -> Prompt:
    """Its digest is made of its name and its turns' texts, as far as tests mind."""
    shown = turns or (SYSTEM,)
    digest = f"{name}:{hash((shown, repr(sorted(fields))))}"
    values: dict[str, Any] = {"inputs": INPUTS, **fields}
    return Prompt(NAME, name, digest, shown, **values)


def tagged(*versions: Prompt, **tags: str) -> Tagged:
    """By default `stable` is the first."""
    by_tag = tags or {"stable": versions[0].version}
    return Tagged(NAME, by_tag, {it.version: it for it in versions})


def asked_by(
    *targets: Target, prompt: Tagged, wanted: RoutePrompt | None = None, **fields: Any
) -> dict[str, Any]:
    """Members of a plan in which `small` is asked by `prompt`."""
    routes = routed(*targets, prompt=wanted or RoutePrompt(NAME), **fields)
    return {"routes": routes, "prompts": {NAME: prompt}}
