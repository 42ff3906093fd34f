"""A file of cases, whichever tool's: told by its name and its keys."""

from pathlib import Path as FilePath

from tidegate.config.problem import in_order
from tidegate.config.tree import ListNode, MapNode, Node
from tidegate.evals.files import START, read_lines, read_yaml
from tidegate.evals.inspect_logs import is_log, read_log
from tidegate.evals.inspect_samples import is_sample
from tidegate.evals.native import MEMBERS, read_native
from tidegate.evals.openai_evals import is_registry, read_registry
from tidegate.evals.promptfoo import MEMBERS as PROMPTFOO
from tidegate.evals.promptfoo import read_promptfoo, read_table
from tidegate.evals.pydantic_evals import is_pydantic, read_pydantic
from tidegate.evals.reading import Reader
from tidegate.evals.suite import Loaded

_TABLES = (".csv", ".tsv")
_LINES = ".jsonl"
_SAMPLES = (
    "these are samples, of which nothing says how they are scored: write a suite that names this"
    " file in `cases_from`, and what is checked in `defaults: {checks: [...]}`"
)


def load_suites(file: FilePath) -> Loaded:
    """Total: any file gives suites or a list of problems, each with its place."""
    reader = Reader(str(file))
    if file.suffix.lower() in _TABLES:
        return read_table(file, reader)
    if file.suffix.lower() == _LINES and any(map(is_sample, read_lines(file, Reader("")))):
        reader.say(START, (), _SAMPLES)
        return Loaded((), tuple(reader.problems))
    root = read_yaml(file, reader)
    if root is None:
        return Loaded((), tuple(in_order(reader.problems)))
    return _read(root, file, reader)


def _read(root: Node, file: FilePath, reader: Reader) -> Loaded:
    if isinstance(root, MapNode):
        keys = root.pairs.keys()
        if is_log(root):
            return read_log(root, file, reader)
        if is_pydantic(root):
            return read_pydantic(root, file, reader)
        if keys & {"cases", "cases_from"}:
            return read_native(root, file, reader)
        if is_registry(root):
            return read_registry(root, file, reader)
        if keys & set(PROMPTFOO):
            return read_promptfoo(root, file, reader)
        if keys & set(MEMBERS):
            return read_native(root, file, reader)
    if isinstance(root, ListNode) and root.items and is_sample(root.items[0]):
        what = f"{_SAMPLES}; as JSON lines, one sample a line"
        reader.say(START, (), what)
        return Loaded((), tuple(reader.problems))
    if isinstance(root, ListNode):
        return read_promptfoo(MapNode(root.mark, {"tests": (root.mark, root)}), file, reader)
    what = (
        "it is no suite that is known: ours has `cases` or `cases_from`, promptfoo's `tests`, an"
        " OpenAI registry `class`, one of pydantic-evals `cases` with `inputs`, a log of Inspect's"
        " `eval` and `samples`"
    )
    reader.say(START, (), what)
    return Loaded((), tuple(reader.problems))
