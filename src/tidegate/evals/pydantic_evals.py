"""Data sets of pydantic-evals, with the evaluators that are checks here."""

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from msgspec import Raw

from tidegate.config.problem import Path, in_order
from tidegate.config.tree import ListNode, MapNode, Node
from tidegate.core.grading import Case, Check
from tidegate.core.words import quoted
from tidegate.evals import ours
from tidegate.evals.reading import Reader, Unreadable, is_nothing, raw
from tidegate.evals.suite import MAX_CASES, Loaded, Suite

WHY_CLASS: Final = "it is a class of Python, which is not executed"
_CASE: Final = ("name", "inputs", "expected_output", "metadata", "evaluators")
_SET: Final = ("name", "cases", "evaluators", "report_evaluators", "$schema")
_MARKS: Final = ("inputs", "expected_output", "evaluators")


def is_pydantic(root: MapNode) -> bool:
    """Whether its cases have `inputs`, or it has `evaluators`."""
    if "evaluators" in root.pairs:
        return True
    cases = root.pairs.get("cases")
    if cases is None or not isinstance(cases[1], ListNode):
        return False
    return any(isinstance(it, MapNode) and it.pairs.keys() & set(_MARKS) for it in cases[1].items)


def read_pydantic(root: MapNode, file: FilePath, reader: Reader) -> Loaded:
    """The data set as one suite."""
    found: list[Case] = []
    try:
        members = reader.members(root, (), _SET)
        shared = members.get("evaluators")
        if "cases" not in members:
            raise reader.refuse(root.mark, (), "`cases` is missing")
        rows = reader.items(members["cases"], ("cases",))
        if len(rows) > MAX_CASES:
            raise reader.refuse(root.mark, ("cases",), f"a suite has at most {MAX_CASES} cases")
        names: set[str] = set()
        for number, (path, node) in enumerate(rows, 1):
            case = _case(node, path, reader, shared)
            if case is not None:
                name = case.id or f"c{number}"
                if name in names:
                    reader.say(node.mark, path, f"the name {quoted(name)} is there twice")
                names.add(name)
                found.append(case if case.id else Case(**{**_members(case), "id": name}))
    except Unreadable:
        pass
    problems = tuple(in_order(reader.problems))
    warnings = tuple(in_order(reader.warnings))
    suite = Suite(file.stem, tuple(found))
    return Loaded(() if problems else (suite,), problems, warnings)


def _members(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in case.__struct_fields__}


def _case(node: Node, path: Path, reader: Reader, shared: Node | None) -> Case | None:
    try:
        members = reader.members(node, path, _CASE)
        name = ""
        if "name" in members and not is_nothing(members["name"]):
            name = reader.text(members["name"], (*path, "name"))
        if "inputs" not in members:
            raise reader.refuse(node.mark, path, "`inputs` is missing")
        given = reader.value(members["inputs"], (*path, "inputs"))
        variables = given if isinstance(given, dict) else {"input": given}
        expected = None
        if "expected_output" in members and not is_nothing(members["expected_output"]):
            expected = reader.raw(members["expected_output"], (*path, "expected_output"))
        strata, kept = _metadata(members, path, reader)
        own: tuple[Check, ...] = ()
        if "evaluators" in members:
            own = _checks(members["evaluators"], (*path, "evaluators"), reader, expected)
        if shared is not None:
            own += _checks(shared, ("evaluators",), reader, expected)
    except Unreadable:
        return None
    given = {key: raw(value) for key, value in variables.items()}
    return Case(name, given, expected=expected, checks=own, strata=strata, **kept)


def _metadata(
    members: dict[str, Node], path: Path, reader: Reader
) -> tuple[dict[str, str], Mapping[str, Any]]:
    """Strata, and what of a case of ours was kept there."""
    node = members.get("metadata")
    if node is None or is_nothing(node):
        return {}, {}
    at = (*path, "metadata")
    said = reader.value(node, at)
    if not isinstance(said, dict):
        said = {"metadata": said}
    try:
        kept = ours.members(said.pop(ours.OURS, {}))
    except ValueError as error:
        raise reader.refuse(node.mark, (*at, ours.OURS), str(error)) from None
    strata = {
        key: it if isinstance(it, str) else bytes(raw(it)).decode() for key, it in said.items()
    }
    return strata, {name: it for name, it in kept.items() if name not in ("id", "strata")}


def _checks(node: Node, path: Path, reader: Reader, expected: Raw | None) -> tuple[Check, ...]:
    return tuple(_check(item, at, reader, expected) for at, item in reader.items(node, path))


def _check(node: Node, path: Path, reader: Reader, expected: Raw | None) -> Check:
    """`Name`, `{Name: first argument}` or `{Name: {argument: value}}`."""
    given: Any = {}
    if isinstance(node, MapNode):
        members = reader.members(node, path)
        if len(members) != 1:
            raise reader.refuse(node.mark, path, "an evaluator is one name with its arguments")
        [(name, child)] = members.items()
        given = reader.value(child, (*path, name))
    else:
        name = reader.text(node, path)
    try:
        if name == "EqualsExpected":
            as_json = expected is not None and not bytes(expected).startswith(b'"')
            return Check("exact", raw({"json": True} if as_json else {}))
        return Check(*_known(name, given))
    except (KeyError, TypeError) as error:
        what = f"{name} is not written as it should be: {error}"
        raise reader.refuse(node.mark, path, what) from None


def _known(name: str, given: Any) -> tuple[str, Raw]:
    whole = given if isinstance(given, dict) else None
    match name:
        case "Equals":
            value = given["value"] if whole and "value" in whole else given
            if isinstance(value, str):
                return "exact", raw({"value": value})
            return "exact", raw({"json": True, "value": bytes(raw(value)).decode()})
        case "Contains" if not isinstance(_first(given, "value"), dict | list):
            caseless = whole is not None and whole.get("case_sensitive") is False
            value = _first(given, "value")
            text = value if isinstance(value, str) else bytes(raw(value)).decode()
            return "contains", raw({"any": [text]} | ({"ignore_case": True} if caseless else {}))
        case "MaxDuration":
            return "latency", raw({"most_s": float(_first(given, "seconds"))})
        case "LLMJudge":
            return "judge_rubric", raw({"rubric": str(_first(given, "rubric"))})
    written = {"arguments": given}
    return "unsupported", raw({"type": name, "why": WHY_CLASS, "written": written})


def _first(given: Any, name: str) -> Any:
    """An argument by name, or the only one that is given."""
    return given[name] if isinstance(given, dict) else given
