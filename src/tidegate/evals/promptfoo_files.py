"""The files that a promptfoo configuration is made of: tests, scenarios, prompts, values."""

from pathlib import Path as FilePath
from typing import Any, NamedTuple

from tidegate.config.problem import Mark, Path, Problem, in_order
from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode
from tidegate.evals.files import Outside, beside, read_bytes, read_lines, read_yaml
from tidegate.evals.promptfoo_csv import read_rows
from tidegate.evals.reading import Reader, Unreadable
from tidegate.evals.suite import Template
from tidegate.prompts.promptfoo_written import CODE, ELSEWHERE, read_written

MAX_VALUE_BYTES = 1024 * 1024
MAX_GLOB_FILES = 1000


class Test(NamedTuple):
    """A mapping that is a test, a set of a scenario, or a scenario, and whose file it stands in."""

    node: Node
    reader: Reader
    path: Path


class Parts:
    """Reads the parts of one configuration, as its file at `reader` names them. What is wrong in
    other files is kept in `elsewhere`, by file and line."""

    def __init__(self, folder: FilePath, reader: Reader) -> None:
        self.folder = folder
        self.reader = reader
        self.elsewhere: list[Problem] = []
        self.warned: list[Problem] = []
        self._others: list[Reader] = []

    def within(self, reader: Reader) -> "Parts":
        """The same, for what another file names."""
        parts = Parts(self.folder, reader)
        parts.elsewhere, parts.warned, parts._others = self.elsewhere, self.warned, self._others
        return parts

    def tests(self, node: Node, path: Path, *, single: bool = False) -> list[Test]:
        """All tests that stand there, or in the files that are named there."""
        found: list[Test] = []
        rows = [(path, node)] if single or not isinstance(node, ListNode) else None
        for at, item in rows or self.reader.items(node, path):
            if isinstance(item, ScalarNode):
                found += self._named(item, at)
            elif isinstance(item, MapNode) and "path" in item.pairs and "vars" not in item.pairs:
                self.reader.say(item.mark, at, "tests made by code are not executed")
            elif isinstance(item, MapNode):
                found.append(Test(item, self.reader, at))
            else:
                self.reader.say(item.mark, at, "a test is a mapping, or the name of a file")
        return found

    rows = tests

    def table(self, path: FilePath, reader: Reader) -> list[Test]:
        """The rows of a CSV."""
        return [Test(node, reader, ()) for _, node in read_rows(path, reader)]

    def _named(self, node: ScalarNode, path: Path) -> list[Test]:
        """The tests of the files that a text names."""
        try:
            name = self.reader.text(node, path)
            files = self._files(name)
        except Unreadable:
            return []
        except Outside as outside:
            self.reader.say(node.mark, path, str(outside))
            return []
        found: list[Test] = []
        for file in files:
            found += self._of_file(file)
        return found

    def _files(self, name: str) -> list[FilePath]:
        """Files by name or pattern. Outside where one is code, elsewhere, or not there."""
        if ELSEWHERE.match(name):
            raise Outside("nothing is fetched; put the file into the suite's folder")
        if CODE.fullmatch(name):
            raise Outside("this is code, which is not executed")
        plain = name.removeprefix("file://")
        if "*" in plain or "?" in plain:
            if plain.startswith("/") or ".." in FilePath(plain).parts:
                raise Outside("it lies outside the suite's folder; only files in it are read")
            found = sorted(self.folder.glob(plain))[: MAX_GLOB_FILES + 1]
            if not found or len(found) > MAX_GLOB_FILES:
                raise Outside(f"the pattern finds {len(found)} files")
            return [beside(self.folder, str(it.relative_to(self.folder))) for it in found]
        path = beside(self.folder, plain)
        if not path.is_file():
            raise Outside(f"there is no file {plain} in the suite's folder")
        return [path]

    def _of_file(self, path: FilePath) -> list[Test]:
        reader = Reader(str(self.folder / path.relative_to(self.folder.resolve())))
        suffix = path.suffix.lower()
        if suffix in (".csv", ".tsv"):
            found = self.table(path, reader)
        elif suffix == ".jsonl":
            found = [Test(node, reader, ()) for node in read_lines(path, reader)]
        elif suffix in (".yaml", ".yml", ".json"):
            root = read_yaml(path, reader)
            found = [] if root is None else self._rows(root, reader)
        else:
            reader.say(Mark(1, 1), (), "tests lie in .yaml, .json, .jsonl, .csv or .tsv")
            found = []
        self._others.append(reader)
        return found

    def _rows(self, root: Node, reader: Reader) -> list[Test]:
        if isinstance(root, MapNode):
            return [Test(root, reader, ())]
        try:
            return [Test(node, reader, path) for path, node in reader.items(root, ())]
        except Unreadable:
            return []

    def settle(self) -> None:
        """Takes over what was said of other files, once all of them are read."""
        for reader in self._others:
            self.elsewhere += in_order(reader.problems)
            self.warned += in_order(reader.warnings)
        self._others.clear()

    def value(self, name: str) -> Any:
        """What the file of a value holds: a text, or what YAML or JSON says. Outside where none of
        it may be read."""
        if CODE.fullmatch(name):
            raise Outside("this is code, which is not executed")
        [path] = self._files(name)[:1]
        if path.suffix.lower() in (".yaml", ".yml", ".json"):
            reader = Reader(path.name)
            root = read_yaml(path, reader)
            if root is not None:
                try:
                    return reader.value(root, ())
                except Unreadable:
                    pass
            raise Outside(f"{path.name} cannot be read: {reader.problems[0].message}")
        data = read_bytes(path, MAX_VALUE_BYTES)
        if len(data) > MAX_VALUE_BYTES:
            raise Outside(f"{path.name} has more than {MAX_VALUE_BYTES} bytes")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Outside(f"{path.name} is not UTF-8 text") from None

    def templates(self, node: Node | None) -> tuple[Template, ...]:
        """The prompts, each a text or the reason why there is none."""
        if node is None:
            return ()

        def say(mark: Mark, key: str, message: str) -> None:
            self.reader.say(mark, ("prompts", key) if key else ("prompts",), message)

        found = read_written(node, self._prompts, say)
        return tuple(Template(it.label or (it.text or "")[:60], it.text, it.why) for it in found)

    def _prompts(self, name: str) -> list[tuple[str, bytes]]:
        """`prompts.promptfoo_written.Files`."""
        try:
            files = self._files(name)
            return [(it.name, read_bytes(it, MAX_VALUE_BYTES)) for it in files]
        except Outside as outside:
            raise ValueError(str(outside)) from None
