"""Tests of promptfoo's as cases: what they take from others, their variables, their checks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.config.problem import Mark, Path
from tidegate.config.tree import ListNode, MapNode, Node
from tidegate.core.grading import Case, Check
from tidegate.core.words import quoted
from tidegate.evals.checking import Graders
from tidegate.evals.files import Outside
from tidegate.evals.ours import OURS
from tidegate.evals.promptfoo_checks import NOT, check_of
from tidegate.evals.promptfoo_files import Parts, Test
from tidegate.evals.promptfoo_text import (
    NotFilled,
    fill_all,
    new_environment,
    product_count,
    products,
)
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.promptfoo_values import Mistaken
from tidegate.evals.reading import Reader, Unreadable, raw
from tidegate.evals.suite import MAX_CASES
from tidegate.prompts.promptfoo_written import CODE

TEMPLATES: Final = "#/assertionTemplates/"
_ADDED: Final = ("vars", "options", "metadata")
# Of how promptfoo runs: no part of what is asked and how it is judged.
_ASIDE: Final = ("provider", "providers", "prompts", "storeOutputAs")
_OPTIONS_ASIDE: Final = ("provider", "storeOutputAs", "runSerially", "repeat", "disableCache")
# What changes the question or the answer by code or in a way that is not carried.
_CHANGES: Final = ("transform", "postprocess", "transformVars", "prefix", "suffix", "rubricPrompt")
_KNOWN_OPTIONS: Final = (
    *_CHANGES,
    *_OPTIONS_ASIDE,
    *("disableVarExpansion", "disableDefaultAsserts", "disableConversationVar"),
)
_KNOWN: Final = (*_ADDED, *_ASIDE, "description", "assert", "threshold")
_OUR_PARTS: Final = ("id", "expected", "context", "must_pass", "turns")

__all__ = ["CaseMaker", "Merged", "Test", "merged"]


class Merged(Struct):
    """A test with what it takes from defaults and scenarios: members by name, each with the file
    that it stands in; assertions of all of them, in order."""

    mark: Mark
    reader: Reader
    path: Path
    members: dict[str, tuple[Test, Node]] = {}
    within: dict[str, dict[str, tuple[Test, Node]]] = {}
    asserts: list[tuple[Test, Path, Node]] = []


def merged(tests: Sequence[Test | None]) -> Merged:
    """Later ones go before earlier ones, by member of variables, options and metadata, and their
    assertions come after theirs."""
    given = [test for test in tests if test is not None]
    last = given[-1]
    whole = Merged(last.node.mark, last.reader, last.path)
    for test in given:
        if not isinstance(test.node, MapNode):
            test.reader.say(test.node.mark, test.path, "a test is a mapping")
            continue
        for name, (_, node) in test.node.pairs.items():
            whole.members[name] = test, node
            if name in _ADDED and isinstance(node, MapNode):
                inner = {key: (test, child) for key, (_, child) in node.pairs.items()}
                whole.within[name] = {**whole.within.get(name, {}), **inner}
        _take_asserts(whole, test, is_default=test is tests[0] and len(tests) > 1)
    return whole


def _take_asserts(whole: Merged, test: Test, *, is_default: bool) -> None:
    node = test.node.pairs.get("assert") if isinstance(test.node, MapNode) else None
    if node is None:
        return
    at = (*test.path, "assert")
    if not isinstance(node[1], ListNode):
        test.reader.say(node[1].mark, at, "`assert` is a list")
        return
    rows = [(test, (*at, str(i)), item) for i, item in enumerate(node[1].items)]
    whole.asserts = [*whole.asserts, *rows]
    if is_default:
        whole.within["default asserts"] = {str(i): (test, row[2]) for i, row in enumerate(rows)}


class CaseMaker:
    """Makes cases of tests, one after another."""

    def __init__(self, parts: Parts, tools: list[Any] | None, templates: Mapping[str, Any]) -> None:
        self.parts = parts
        self.templates = templates
        self.tools = tools
        self.is_full = False
        self._environment = new_environment()
        self._graders = Graders()
        self._ids: set[str] = set()

    def cases(self, test: Merged, number: int, room: int) -> list[Case]:
        """The cases of a test; none where something of it is wrong, which is said."""
        try:
            return self._cases(test, number, room)
        except Unreadable:
            return []

    def _cases(self, test: Merged, number: int, room: int) -> list[Case]:
        reader = test.reader
        for name, (owner, node) in test.members.items():
            if name in _ASIDE:
                owner.reader.warn(
                    node.mark, (*owner.path, name), "which models are asked is left out"
                )
        options = self._options(test)
        given = self._variables(test)
        single = options.get("disableVarExpansion") is True
        count = 1 if single else product_count(given)
        if count > room:
            self.is_full = True
            what = f"a suite has at most {MAX_CASES} cases, and its variables make more"
            raise reader.refuse(test.mark, test.path, what)
        shared = self._shared(test, options)
        return [
            self._case(test, variables, shared, f"t{number}" + (f"-{i}" if i > 1 else ""))
            for i, variables in enumerate([given] if single else products(given), 1)
        ]

    def _options(self, test: Merged) -> dict[str, Any]:
        pairs = test.within.get("options", {}).items()
        read = {
            name: owner.reader.value(node, (*owner.path, "options", name))
            for name, (owner, node) in pairs
        }
        for name, (owner, node) in test.within.get("options", {}).items():
            if name in _OPTIONS_ASIDE:
                owner.reader.warn(node.mark, (*owner.path, "options", name), "it is left out")
        return read

    def _variables(self, test: Merged) -> dict[str, Any]:
        """The values of variables, files read; their templates are filled in later."""
        if "vars" in test.members and "vars" not in test.within:
            owner, node = test.members["vars"]
            what = "`vars` is a mapping of variables"
            raise owner.reader.refuse(node.mark, (*owner.path, "vars"), what)
        found = {}
        for name, (owner, node) in test.within.get("vars", {}).items():
            at = (*owner.path, "vars", name)
            value = owner.reader.value(node, at)
            if isinstance(value, str) and value.startswith(("file://", "package:")):
                try:
                    value = self.parts.value(value)
                except Outside as outside:
                    raise owner.reader.refuse(node.mark, at, str(outside)) from None
            found[name] = value
        return found

    def _shared(self, test: Merged, options: dict[str, Any]) -> dict[str, Any]:
        """What all cases of a test have in common."""
        said: dict[str, Any] = {"checks": self._changes(test, options)}
        if "description" in test.members:
            owner, node = test.members["description"]
            said["description"] = owner.reader.text(node, (*owner.path, "description"))
        if "threshold" in test.members:
            owner, node = test.members["threshold"]
            at = (*owner.path, "threshold")
            value = owner.reader.value(node, at)
            try:
                said["threshold"] = float(value)
            except (TypeError, ValueError):
                raise owner.reader.refuse(node.mark, at, "expected a number") from None
            if not 0 <= said["threshold"] <= 1:
                raise owner.reader.refuse(node.mark, at, "it must be from 0 to 1")
            if said["threshold"] == 0:
                del said["threshold"]  # promptfoo takes it for none
        strata = {}
        for name, (owner, node) in test.within.get("metadata", {}).items():
            at = (*owner.path, "metadata", name)
            if name == OURS:
                said |= self._ours(owner, node, at)
                continue
            value = owner.reader.value(node, at)
            strata[name] = value if isinstance(value, str) else bytes(raw(value)).decode()
        said["strata"] = strata
        skipped = options.get("disableDefaultAsserts") is True
        left = [id(node) for _, node in test.within.get("default asserts", {}).values()]
        said["asserts"] = [row for row in test.asserts if not (skipped and id(row[2]) in left)]
        return said

    def _ours(self, owner: Test, node: Node, path: Path) -> dict[str, Any]:
        """What our own export keeps where promptfoo has no place for it."""
        reader = owner.reader
        members = reader.members(node, path, _OUR_PARTS)
        said: dict[str, Any] = {}
        if "id" in members:
            said["id"] = reader.text(members["id"], (*path, "id"))
        if "expected" in members:
            said["expected"] = reader.raw(members["expected"], (*path, "expected"))
        if "context" in members:
            said["context"] = reader.texts(members["context"], (*path, "context"))
        if "must_pass" in members:
            said["must_pass"] = reader.truth(members["must_pass"], (*path, "must_pass"))
        if "turns" in members:
            rows = reader.items(members["turns"], (*path, "turns"))
            pairs = [reader.texts(item, at) for at, item in rows]
            if any(len(pair) != 2 for pair in pairs):
                raise reader.refuse(node.mark, path, "a turn is a role and a text")
            said["turns"] = tuple((pair[0], pair[1]) for pair in pairs)
        return said

    def _changes(self, test: Merged, options: dict[str, Any]) -> tuple[Check, ...]:
        """A check that is never made, for each thing that changes what is asked or judged."""
        found = [f"options.{name}" for name in _CHANGES if options.get(name) not in (None, "")]
        found += [f"options.{name}" for name in options if name not in _KNOWN_OPTIONS]
        found += [name for name in test.members if name not in _KNOWN]
        why = "it changes what is asked or how it is judged, and is not carried"
        return tuple(Check("unsupported", raw({"type": name, "why": why})) for name in found)

    def _case(
        self, test: Merged, variables: dict[str, Any], shared: dict[str, Any], name: str
    ) -> Case:
        try:
            filled = fill_all(self._environment, variables, variables)
        except NotFilled as problem:
            raise test.reader.refuse(test.mark, (*test.path, "vars"), str(problem)) from None
        said = dict(shared)
        checks = [self._check(row, filled) for row in said.pop("asserts")]
        said["checks"] = (*said["checks"], *(check for check in checks if check is not None))
        said.setdefault("context", context_of(filled))
        name = said.pop("id", name)
        while name in self._ids:
            name += "'"
        self._ids.add(name)
        kept: dict[str, Raw] = {key: raw(value) for key, value in filled.items()}
        return Case(name, kept, **said)

    def _check(self, row: tuple[Test, Path, Node], variables: dict[str, Any]) -> Check | None:
        """The check that an assertion is; None when it is wrong, which is said."""
        test, path, node = row
        try:
            written = test.reader.value(node, path)
            if not isinstance(written, dict):
                raise Mistaken("an assertion is a mapping with a `type`")
            check = check_of(self._ready(written, variables), self.tools)
            said = self._graders.wrong(check.grader, msgspec.json.decode(check.options))
            if said is None:
                return check
            raise Mistaken(said)
        except (Mistaken, NotFilled, Outside) as problem:
            test.reader.say(node.mark, path, str(problem))
        except Unreadable:
            pass
        return None

    def _ready(self, written: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """An assertion with its templates filled in and its files read, or the one that it refers
        to."""
        if isinstance(named := written.get("$ref"), str):
            meant = self.templates.get(named.removeprefix(TEMPLATES))
            if not isinstance(meant, dict) or "$ref" in meant:
                raise Mistaken(f"there is no assertion {quoted(named)}")
            written = meant
        ready = dict(written)
        if isinstance(ready.get("assert"), list):
            ready["assert"] = [
                self._ready(it, variables) if isinstance(it, dict) else it for it in ready["assert"]
            ]
        value = ready.get("value")
        if isinstance(value, str) and value.startswith("file://") and not CODE.fullmatch(value):
            ready["value"] = value = self.parts.value(value)
        for name in ("value", "metric"):
            if name in ready and not _is_code(written):
                ready[name] = fill_all(self._environment, ready[name], variables)
        return ready


def context_of(variables: Mapping[str, Any]) -> tuple[str, ...]:
    """What promptfoo's checks of context read: the variable of that name."""
    given = variables.get("context")
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and all(isinstance(text, str) for text in given):
        return tuple(given)
    return ()


def _is_code(written: dict[str, Any]) -> bool:
    """Whether an assertion's value is somebody's code, in which braces are no templates."""
    return str(written.get("type", "")).removeprefix(NOT) in UNSUPPORTED
