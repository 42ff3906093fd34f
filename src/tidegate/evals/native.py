"""Our own suites: `evals/<suite>.yaml`, with its cases in it or in files of JSON lines beside."""

from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any, Final

from tidegate.config.problem import in_order
from tidegate.config.tree import MapNode, Node
from tidegate.core.grading import Case
from tidegate.core.prompt import is_name
from tidegate.evals.cases import CaseReader
from tidegate.evals.checking import Graders
from tidegate.evals.files import START, Outside, beside, read_lines
from tidegate.evals.inspect_samples import case_node, is_sample
from tidegate.evals.reading import Reader, Unreadable
from tidegate.evals.suite import MAX_CASES, MAX_REPEATS, REPEATS, Loaded, Suite

MEMBERS: Final = (
    *("name", "owner", "prompt", "description", "repeats"),
    *("defaults", "cases", "cases_from"),
)


def read_native(root: Node, file: FilePath, reader: Reader) -> Loaded:
    """The suite, or what is wrong with it. Every line of its cases is read, whatever others are."""
    reading = _Reading(file, reader)
    try:
        members = reader.members(root, (), MEMBERS)
    except Unreadable:
        members = {}
    suite = reading.suite(members) if members else None
    problems = [*in_order(reader.problems), *reading.elsewhere]
    if not members and not problems:
        reader.say(root.mark, (), "it is empty; it needs `cases:` or `cases_from:`")
        problems = in_order(reader.problems)
    suites = () if suite is None or problems else (suite,)
    return Loaded(suites, tuple(problems), tuple(in_order(reader.warnings)))


class _Reading:
    """Reads one suite's file."""

    def __init__(self, file: FilePath, reader: Reader) -> None:
        self.file = file
        self.reader = reader
        self.elsewhere: list[Any] = []
        self.cases = CaseReader(reader, Graders())

    def suite(self, members: dict[str, Node]) -> Suite | None:
        said = self._head(members)
        defaults = members.get("defaults")
        if defaults is not None:
            try:
                self.cases.read_defaults(defaults, ("defaults",))
            except Unreadable:
                return None
        found = [*self._own(members), *self._from_files(members)]
        if len(found) > MAX_CASES:
            self.reader.say(START, (), f"a suite has at most {MAX_CASES} cases")
        elif not found and not self.reader.problems and not self.elsewhere:
            self.reader.say(START, (), "it has no case; it needs `cases:` or `cases_from:`")
        return Suite(cases=tuple(found), **said)

    def _head(self, members: dict[str, Node]) -> dict[str, Any]:
        said: dict[str, Any] = {"name": self.file.stem, "repeats": REPEATS}
        for name in ("name", "owner", "prompt", "description"):
            if name in members:
                try:
                    said[name] = self.reader.text(members[name], (name,))
                except Unreadable:
                    continue
                if name in ("name", "prompt") and not is_name(said[name]):
                    what = "a name is 1 to 64 of a-z, 0-9, `.`, `_` and `-`"
                    self.reader.say(members[name].mark, (name,), what)
        if "repeats" in members:
            with suppress(Unreadable):
                node = members["repeats"]
                said["repeats"] = self.reader.whole(node, ("repeats",), 1, MAX_REPEATS)
        return said

    def _own(self, members: dict[str, Node]) -> list[Case]:
        if "cases" not in members:
            return []
        try:
            rows = self.reader.items(members["cases"], ("cases",))
        except Unreadable:
            return []
        read = (self.cases.read(node, path) for path, node in rows)
        return [case for case in read if case is not None]

    def _from_files(self, members: dict[str, Node]) -> list[Case]:
        if "cases_from" not in members:
            return []
        node, found = members["cases_from"], list[Case]()
        try:
            names = self.reader.texts(node, ("cases_from",))
        except Unreadable:
            return []
        for name in names:
            try:
                path = beside(self.file.parent, name)
                if not path.is_file():
                    raise Outside(f"there is no file {name}")
            except Outside as outside:
                self.reader.say(node.mark, ("cases_from",), str(outside))
                continue
            found += self._from_file(path)
        return found

    def _from_file(self, path: FilePath) -> list[Case]:
        shown = self.file.parent / path.relative_to(self.file.parent.resolve())
        own, lines = self.reader, Reader(str(shown))
        self.cases.reader = lines
        found = []
        for number, line in enumerate(read_lines(path, lines), 1):
            if not isinstance(line, MapNode):
                continue
            row: Node = line
            if is_sample(line):
                try:
                    row = case_node(line, number, lines)
                except Unreadable:
                    continue
            case = self.cases.read(row, ())
            found += [] if case is None else [case]
        self.cases.reader = own
        self.elsewhere += in_order(lines.problems)
        own.warnings += lines.warnings
        return found
