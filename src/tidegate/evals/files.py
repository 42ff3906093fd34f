"""Files that a suite is made of: bounded, and never outside its folder."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Final

import msgspec

from tidegate.config.problem import Mark
from tidegate.config.tree import Bounds, Node, read_tree
from tidegate.evals.reading import Reader, is_nothing, node_of
from tidegate.text.strict_json import JsonProblem, read_object

SUITE: Final = Bounds("suite", 16 * 1024 * 1024, 64, 1_000_000)
MAX_LINE_BYTES = 1024 * 1024
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_LINES = 100_000
START: Final = Mark(1, 1)


class Outside(Exception):
    """A suite names a file that is not its own, or none."""


def beside(folder: FilePath, name: str) -> FilePath:
    """The file `name` in a suite's folder. Outside when it lies elsewhere, links followed."""
    name = name.removeprefix("file://")
    if not name or "\0" in name:
        raise Outside("this names no file")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
    except (OSError, RuntimeError) as error:
        raise Outside(f"it cannot be found: {error}") from None
    if not path.is_relative_to(root):
        raise Outside("it lies outside the suite's folder; only files in it are read")
    return path


def read_bytes(path: FilePath, most_bytes: int) -> bytes:
    """At most one byte more than may be. Outside when it cannot be read."""
    try:
        with path.open("rb") as opened:
            return opened.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Outside(f"cannot be read: {reason}") from None


def read_yaml(path: FilePath, reader: Reader) -> Node | None:
    """The tree of a YAML or JSON file; what is wrong with it is said."""
    try:
        data = read_bytes(path, SUITE.most_bytes)
    except Outside as outside:
        reader.say(START, (), str(outside))
        return None
    root, problems = read_tree(data, reader.file, SUITE)
    for problem in problems:
        reader.say(problem.mark, problem.path, problem.message)
    if root is None or is_nothing(root):
        if not problems:
            reader.say(START, (), "it is empty")
        return None
    return None if problems else root


def read_lines(path: FilePath, reader: Reader) -> Iterator[Node]:
    """The objects of a JSONL file, one a line, each standing at its line. A line that is none is
    said, and the others are read."""
    try:
        opened = path.open("rb")
    except (OSError, ValueError) as error:
        reader.say(START, (), f"cannot be read: {getattr(error, 'strerror', None) or error}")
        return
    with opened:
        total = count = 0
        while line := opened.readline(MAX_LINE_BYTES + 1):
            count += 1
            total += len(line)
            mark = Mark(count, 1)
            if len(line) > MAX_LINE_BYTES or total > MAX_FILE_BYTES or count > MAX_LINES:
                most = f"{MAX_LINE_BYTES} bytes a line, {MAX_LINES} lines, {MAX_FILE_BYTES} bytes"
                reader.say(mark, (), f"a file of cases has at most {most}")
                return
            if line.isspace():
                continue
            try:
                members = read_object(line.rstrip(b"\r\n"), frozenset())
                yield node_of({name: msgspec.json.decode(it) for name, it in members.items()}, mark)
            except (JsonProblem, msgspec.DecodeError, RecursionError) as error:
                reader.say(mark, (), f"this line is not a JSON object: {error}")
