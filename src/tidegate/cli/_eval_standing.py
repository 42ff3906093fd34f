"""What stands before a version beside its answers: lint, its owner, and the error budgets."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import click

from tidegate.cli._client import Control
from tidegate.cli._prompt_source import Prompts
from tidegate.control.shapes_prompts import PromptView
from tidegate.control.shapes_slo import RouteSlo, SloList
from tidegate.core.prompt import Prompt
from tidegate.evals.finding import Finding, listed
from tidegate.prompts.lint import lint_version

FIX: Final = "fix"
_URGENT: Final = frozenset(("security", "p0"))
# So many people have to say yes while the error budget is low.
_APPROVERS: Final = 2


def standing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is said of the change itself."""
    options = (
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="WORD",
            help="What the change is, such as fix, security or p0. Repeatable.",
        ),
        click.option(
            "--approved-by",
            multiple=True,
            metavar="NAME",
            help="Who has approved it, as CI knows. Repeatable.",
        ),
        click.option(
            "--budget-change",
            metavar="WHICH",
            help="What pays for longer prompts, which then only warn.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def standing(
    control: Control, prompts: Prompts, prompt: Prompt, route: str, given: Mapping[str, Any]
) -> list[Finding]:
    """Of `route` and all others that are asked by the prompt. click.ClickException."""
    routes = {route, *control.get(f"/api/prompts/{prompt.name}", PromptView).routes}
    objectives = control.get("/api/slo", SloList).routes
    of_routes = [it for it in objectives if it.route in routes]
    return [_lint(prompts, prompt), _approvals(prompt, of_routes, given)]


def _lint(prompts: Prompts, prompt: Prompt) -> Finding:
    found = lint_version(prompts.source, prompts.index, prompt.name, prompt.version, None)
    errors = [it.problem.message for it in found if it.level == "error"]
    if errors:
        return Finding("lint", "block", f"{len(errors)} errors: {'; '.join(errors[:3])}")
    if found:
        told = "; ".join(it.problem.message for it in found[:3])
        return Finding("lint", "warn", f"{len(found)} warnings: {told}")
    return Finding("lint", "pass", "nothing is wrong with the version")


def _approvals(prompt: Prompt, objectives: Iterable[RouteSlo], given: Mapping[str, Any]) -> Finding:
    """By the worst state of a route, as releases have it."""
    labels, approved = set(given["labels"]), sorted(set(given["approved_by"]))
    by = f", approved by {listed(approved)}" if approved else ""
    states: dict[str, list[str]] = {}
    for it in objectives:
        state = "restricted" if it.review_wanted and it.state in ("normal", "caution") else it.state
        states.setdefault(state, []).append(it.route)
    if labels & _URGENT:
        return Finding("approvals", "pass", f"it is labelled {listed(sorted(labels))}{by}")
    if "frozen" in states:
        why = f"the error budget of {listed(states['frozen'])} is spent: only what is labelled"
        return Finding("approvals", "block", f"{why} security or p0 goes")
    if "restricted" in states:
        why = f"the error budget of {listed(states['restricted'])} is low or a review is due"
        if FIX not in labels:
            return Finding("approvals", "block", f"{why}: only what is labelled fix goes")
        if len(approved) < _APPROVERS:
            return Finding("approvals", "block", f"{why}: {_APPROVERS} people have to approve")
    if prompt.owner is None:
        return Finding("approvals", "warn", f"the version names no owner{by}")
    if "caution" in states:
        why = f"half of the error budget of {listed(states['caution'])} is spent"
        return Finding("approvals", "warn", f"{why}; {prompt.owner} owns the version{by}")
    return Finding("approvals", "pass", f"{prompt.owner} owns the version{by}")
