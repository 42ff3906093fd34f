"""A route's contract, from what its plan declares."""

from tidegate.core.assemble import Path, Say
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.facts import Checks
from tidegate.core.plan import Contract


def compile_contract(route: DeclaredRoute, path: Path, checks: Checks, say: Say) -> Contract | None:
    """The route's contract; what is wrong with it is said."""
    declared = route.contract
    if declared is None:
        return None
    asked = (declared.json, declared.json_schema, declared.tools, declared.regex)
    if not any(asked) and declared.max_length is None:
        say(path, "this asks nothing; write json, json_schema, tools, regex or max_length")
    if declared.json_schema is not None:
        _tell(checks.wrong_schema(declared.json_schema), (*path, "json_schema"), say)
    if declared.regex is not None:
        _tell(checks.wrong_regex(declared.regex), (*path, "regex"), say)
    if declared.buffer and declared.on_violation == "mark":
        say(
            (*path, "buffer"),
            "an answer that is passed on all the same need not be held back: "
            "write `on_violation: fail`, or remove `buffer`",
        )
    _check_way_out(declared, route, (*path, "on_violation"), say)
    return Contract(
        json=declared.json,
        json_schema=declared.json_schema,
        tools=declared.tools,
        regex=declared.regex,
        max_chars=declared.max_length or Contract().max_chars,
        on_violation=declared.on_violation,
        buffer=declared.buffer,
    )


def _check_way_out(declared: DeclaredContract, route: DeclaredRoute, at: Path, say: Say) -> None:
    """Whether there is anything to ask after an answer that breaks it."""
    if declared.on_violation not in ("retry", "fallback"):
        return
    if declared.on_violation == "fallback" and not route.fallbacks.malformed:
        say(at, "there is nothing to fall back on: name targets below `fallbacks.malformed`")
    if not route.retry.budget_percent and not route.retry.budget_least:
        say(
            at,
            "`retry.budget_percent` and `retry.budget_least` are 0, so that nothing is ever asked "
            "again: raise one of them, or write `on_violation: fail`",
        )


def _tell(wrong: str | None, path: Path, say: Say) -> None:
    if wrong is not None:
        say(path, wrong)
