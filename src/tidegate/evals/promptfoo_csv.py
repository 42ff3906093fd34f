"""promptfoo's tables: a row is a test, a column a variable or one of its `__` columns."""

import csv
import io
import re
from pathlib import Path as FilePath
from typing import Any, Final

from tidegate.config.problem import Mark
from tidegate.config.tree import Node
from tidegate.core.words import quoted
from tidegate.evals.files import MAX_FILE_BYTES, START, Outside, read_bytes
from tidegate.evals.promptfoo_checks import NOT, READ
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.reading import Reader, node_of
from tidegate.evals.suite import MAX_CASES

MAX_COLUMNS = 500
_OLD_NAMES: Final = {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}
_TYPES: Final = "|".join(sorted((*READ, *UNSUPPORTED, *_OLD_NAMES), key=len, reverse=True))
_ASSERTION: Final = re.compile(
    rf"({NOT})?({_TYPES})(?:\(\s*(\d+(?:\.\d+)?)\s*\))?(?::(.*))?", re.DOTALL
)
_SCRIPT: Final = re.compile(r"file://.*\.(py|js|ts|cjs|mjs|cts|mts|rb)(?::|$)", re.DOTALL)
_SCRIPTS: Final = {"py": "python", "rb": "ruby"}
_LISTS: Final = ("contains-any", "contains-all", "icontains-any", "icontains-all")
# Where a cell names no threshold, as promptfoo has it.
_THRESHOLDS: Final = dict.fromkeys(
    ("answer-relevance", "context-faithfulness", "context-recall", "context-relevance"), 0.75
) | dict.fromkeys(("rouge-n", "similar"), 0.75)
_CONFIG: Final = re.compile(r"__config:__expected(\d*):(\w+)")
_EXPECTED: Final = re.compile(r"__expected(\d*)")


def assertion_of(cell: str) -> dict[str, Any]:
    """The assertion that the text of an `__expected` cell is: `contains: yes`, `not-regex:a+`,
    `similar(0.8):text`, or a text that the answer equals."""
    script = _SCRIPT.fullmatch(cell) or _SCRIPT.match(cell)
    if script is not None:
        return {"type": _SCRIPTS.get(script[1], "javascript"), "value": cell}
    match = _ASSERTION.fullmatch(cell)
    if match is None:
        return {"type": "equals", "value": cell}
    base = _OLD_NAMES.get(match[2], match[2])
    found: dict[str, Any] = {"type": (match[1] or "") + base}
    value = (match[4] or "").strip()
    if base in _LISTS:
        found["value"] = _split(value)
    elif value:
        found["value"] = value
    if match[3] is not None:
        found["threshold"] = float(match[3])
    elif base in _THRESHOLDS:
        found["threshold"] = _THRESHOLDS[base]
    return found


def _split(value: str) -> list[str]:
    """What commas part; quotes hold one together."""
    try:
        return [part.strip() for part in next(csv.reader([value], skipinitialspace=True), [])]
    except csv.Error:
        return [part.strip() for part in value.split(",")]


def read_rows(path: FilePath, reader: Reader) -> list[tuple[int, Node]]:
    """Each row as a test of promptfoo's, with the line that it begins on; what is wrong is said."""
    try:
        data = read_bytes(path, MAX_FILE_BYTES)
        text = data.decode("utf-8-sig")
    except Outside as outside:
        reader.say(START, (), str(outside))
        return []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        reader.say(Mark(line, 1), (), "this byte is not UTF-8 text")
        return []
    if len(data) > MAX_FILE_BYTES:
        reader.say(START, (), f"a table has at most {MAX_FILE_BYTES} bytes")
        return []
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _Table(reader).read(rows)


class _Table:
    """The rows below one head."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.head: list[str] = []

    def read(self, rows: Any) -> list[tuple[int, Node]]:
        found: list[tuple[int, Node]] = []
        line = 1
        try:
            for row in rows:
                if not self.head:
                    self._begin(row, line)
                elif any(cell.strip() for cell in row):
                    if len(row) != len(self.head):
                        what = f"the row has {len(row)} fields, and the head {len(self.head)}"
                        self.reader.say(Mark(line, 1), (), what)
                    else:
                        mark = Mark(line, 1)
                        found.append((line, node_of(self._test(row, mark), mark)))
                line = rows.line_num + 1
                if len(found) > MAX_CASES:
                    self.reader.say(Mark(line, 1), (), f"a suite has at most {MAX_CASES} cases")
                    return []
        except csv.Error as error:
            self.reader.say(Mark(line, 1), (), f"this row is no CSV: {error}")
        if not self.head:
            self.reader.say(START, (), "it is empty; its first row names the columns")
        return found

    def _begin(self, row: list[str], line: int) -> None:
        self.head = [name.strip() for name in row]
        for name in self.head:
            if self.head.count(name) > 1:
                self.reader.say(Mark(line, 1), (name,), f"the column {quoted(name)} comes twice")
                return
            if not name:
                self.reader.say(Mark(line, 1), (), "a column has no name")
                return
        if len(row) > MAX_COLUMNS:
            self.reader.say(Mark(line, 1), (), f"a table has at most {MAX_COLUMNS} columns")

    def _test(self, row: list[str], mark: Mark) -> dict[str, Any]:
        cells = dict(zip(self.head, row, strict=True))
        numbers, asserts = list[int](), list[dict[str, Any]]()
        test: dict[str, Any] = {"vars": {}, "options": {}, "metadata": {}}
        for name, cell in cells.items():
            expected = _EXPECTED.fullmatch(name)
            if expected is not None:
                if cell.strip():
                    asserts.append(assertion_of(cell.strip()))
                    numbers.append(int(expected[1] or 1))
            elif name.startswith("__"):
                self._special(test, name, cell, mark)
            else:
                test["vars"][name] = cell
        for number, assertion in zip(numbers, asserts, strict=True):
            self._configure(assertion, number, cells, mark)
        if asserts:
            test["assert"] = asserts
        return {name: value for name, value in test.items() if value != {}}

    def _special(self, test: dict[str, Any], name: str, cell: str, mark: Mark) -> None:
        if name in ("__prefix", "__suffix"):
            if cell:
                test["options"][name[2:]] = cell
        elif name in ("__description", "__threshold", "__providerOutput"):
            if cell.strip():
                test[name[2:]] = cell.strip()
        elif name.startswith("__metadata:"):
            key = name.removeprefix("__metadata:")
            if cell:
                test["metadata"][key.removesuffix("[]")] = cell
        elif name != "__metric" and not _CONFIG.fullmatch(name) and cell:
            self.reader.warn(mark, (name,), "this column of promptfoo's is not known, and left out")

    def _configure(
        self, assertion: dict[str, Any], number: int, cells: dict[str, str], mark: Mark
    ) -> None:
        if cells.get("__metric"):
            assertion["metric"] = cells["__metric"]
        for name, cell in cells.items():
            match = _CONFIG.fullmatch(name)
            if match is None or not cell.strip() or (match[1] and int(match[1]) != number):
                continue
            if match[2] in ("threshold", "weight", "metric"):
                assertion[match[2]] = cell.strip()
            else:
                self.reader.warn(mark, (name,), "only threshold, weight and metric are configured")
