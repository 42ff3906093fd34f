"""promptfoo's configurations as they are, and its tables.

What decides a verdict is carried, or the case gets a check `unsupported`, which is an error in
every run. Code is never executed, nothing is fetched, and no file outside the suite's folder is
read. What only says which models are asked, or how results look, is left aside with a warning.
"""

from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from tidegate.config.problem import in_order
from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode
from tidegate.core.grading import Case
from tidegate.evals.files import START
from tidegate.evals.promptfoo_cases import CaseMaker, Merged, Test, merged
from tidegate.evals.promptfoo_files import Parts
from tidegate.evals.reading import Reader, Unreadable
from tidegate.evals.suite import MAX_CASES, MAX_REPEATS, REPEATS, Loaded, Suite

MEMBERS: Final = ("prompts", "providers", "targets", "tests", "scenarios", "defaultTest")
_SCENARIO: Final = ("description", "config", "tests")


def read_table(file: FilePath, reader: Reader) -> Loaded:
    """A CSV of tests alone."""
    reading = _Config(file, reader)
    tests = [merged([test]) for test in reading.parts.table(file, reader)]
    return reading.loaded({}, tests)


def read_promptfoo(root: MapNode, file: FilePath, reader: Reader) -> Loaded:
    """One configuration as a suite."""
    reading = _Config(file, reader)
    members = {name: node for name, (_, node) in root.pairs.items()}
    known = (*MEMBERS, "description", "evaluateOptions", "metadata", "assertionTemplates")
    for name, (mark, _) in root.pairs.items():
        if name not in known and name not in ("sharing", "outputPath", "commandLineOptions"):
            reader.warn(mark, (name,), "this is of how promptfoo runs, and left out")
    tests = reading.tests(members)
    return reading.loaded(members, tests)


class _Config:
    """One configuration file on its way to a suite."""

    def __init__(self, file: FilePath, reader: Reader) -> None:
        self.file = file
        self.reader = reader
        self.parts = Parts(file.parent, reader)

    def loaded(self, members: dict[str, Node], tests: list[Merged]) -> Loaded:
        templates = self.parts.templates(members.get("prompts"))
        tools = self._tools(members.get("providers", members.get("targets")))
        cases = self._cases(tests, tools, self._assertions(members.get("assertionTemplates")))
        repeats = self._repeats(members.get("evaluateOptions"))
        description = ""
        if "description" in members:
            with suppress(Unreadable):
                description = self.reader.text(members["description"], ("description",))
        self.parts.settle()
        problems = [*in_order(self.reader.problems), *self.parts.elsewhere]
        warnings = (*in_order(self.reader.warnings), *self.parts.warned)
        if not cases and not problems:
            self.reader.say(START, (), "it has no test")
            problems = in_order(self.reader.problems)
        if problems:
            return Loaded((), tuple(problems), warnings)
        suite = Suite(
            self.file.stem,
            tuple(cases),
            repeats=repeats,
            description=description,
            templates=templates,
        )
        return Loaded((suite,), (), warnings)

    def tests(self, members: dict[str, Node]) -> list[Merged]:
        """Every test with what it takes from others, its variables not yet multiplied."""
        default = self._default(members.get("defaultTest"))
        found = self._scenarios(members.get("scenarios"), default)
        own = self.parts.tests(members["tests"], ("tests",)) if "tests" in members else []
        found += [merged([default, test]) for test in own]
        if not found and not ({"tests", "scenarios"} & members.keys()):
            # promptfoo asks its prompts once when there is nothing to ask them with.
            found = [merged([default, Test(MapNode(START, {}), self.reader, ())])]
        return found

    def _default(self, node: Node | None) -> Test | None:
        if node is None:
            return None
        if isinstance(node, ScalarNode):
            named = self.parts.tests(node, ("defaultTest",), single=True)
            return named[0] if named else None
        return Test(node, self.reader, ("defaultTest",))

    def _scenarios(self, node: Node | None, default: Test | None) -> list[Merged]:
        found: list[Merged] = []
        if node is None:
            return found
        for scenario in self.parts.rows(node, ("scenarios",)):
            try:
                known = scenario.reader.members(scenario.node, scenario.path, _SCENARIO)
                if "config" not in known:
                    what = "a scenario needs `config`, the sets that its tests are run with"
                    raise scenario.reader.refuse(scenario.node.mark, scenario.path, what)
            except Unreadable:
                continue
            within = self.parts.within(scenario.reader)
            sets = within.tests(known["config"], (*scenario.path, "config"))
            tests = [Test(MapNode(START, {}), scenario.reader, scenario.path)]
            if "tests" in known:
                tests = within.tests(known["tests"], (*scenario.path, "tests"))
            if len(sets) * len(tests) > MAX_CASES:
                scenario.reader.say(scenario.node.mark, scenario.path, "too many cases")
                continue
            found += [merged([default, data, test]) for data in sets for test in tests]
        return found

    def _assertions(self, node: Node | None) -> dict[str, Any]:
        """Assertions that tests refer to by name."""
        if node is None:
            return {}
        try:
            return dict(self.reader.value(node, ("assertionTemplates",)))
        except (Unreadable, TypeError, ValueError):
            self.reader.say(node.mark, ("assertionTemplates",), "it is a mapping of assertions")
            return {}

    def _cases(
        self, tests: list[Merged], tools: list[Any] | None, templates: dict[str, Any]
    ) -> list[Case]:
        maker = CaseMaker(self.parts, tools, templates)
        found: list[Case] = []
        for number, test in enumerate(tests, 1):
            found += maker.cases(test, number, MAX_CASES - len(found))
            if maker.is_full:
                break
        return found

    def _repeats(self, node: Node | None) -> int:
        if not isinstance(node, MapNode) or "repeat" not in node.pairs:
            return REPEATS
        path = ("evaluateOptions", "repeat")
        try:
            return self.reader.whole(node.pairs["repeat"][1], path, 1, MAX_REPEATS)
        except Unreadable:
            return REPEATS

    def _tools(self, node: Node | None) -> list[Any] | None:
        """The tools of the providers, where they are written here and are the same for all."""
        found: list[Any] = []
        for item in node.items if isinstance(node, ListNode) else []:
            try:
                value = self.reader.value(item, ("providers",))
            except Unreadable:
                return None
            if isinstance(value, dict) and "config" not in value and len(value) == 1:
                value = next(iter(value.values()))
            config = value.get("config") if isinstance(value, dict) else None
            tools = config.get("tools") if isinstance(config, dict) else None
            found.append(tools)
        same = {msgspec.json.encode(tools, order="deterministic") for tools in found}
        return found[0] if len(same) == 1 and isinstance(found[0], list) else None
