"""Logs of Inspect's runs, as JSON: the samples as they were asked, with its own scorers as checks.

A scorer that is somebody's code, or that is told how to grade by a template of its own, is
`unsupported`, an error in every run. Samples whose answer came after several turns, or of tools,
are told and refused: one question is asked here.
"""

from pathlib import Path as FilePath
from typing import Any, Final

from tidegate.config.problem import Path, in_order
from tidegate.config.tree import MapNode, Node
from tidegate.core.grading import Case
from tidegate.evals.cases import CaseReader
from tidegate.evals.checking import Graders
from tidegate.evals.inspect_samples import KNOWN, REFUSED, case_node
from tidegate.evals.reading import Reader, Unreadable, node_of
from tidegate.evals.suite import MAX_CASES, MAX_REPEATS, Loaded, Suite

# Choices stand in the messages as a solver has laid them out.
_TAKEN: Final = (KNOWN | set(REFUSED)) - {"choices"}
_CODE: Final = "it is a scorer of Python, which is not executed"
_TEMPLATE: Final = "its judge has a prompt of its own"
_MEETS: Final = "ANSWER meets the criterion that REFERENCE is, or says the same as REFERENCE."
_PLACES: Final = {"begin": {"at": "start"}, "end": {"at": "end"}, "any": {}}


def is_log(root: MapNode) -> bool:
    return {"eval", "samples", "status"} <= root.pairs.keys()


def read_log(root: MapNode, file: FilePath, reader: Reader) -> Loaded:
    """The log's samples as one suite, each once, asked as often as the run had epochs."""
    cases: list[Case] = []
    epochs = 1
    try:
        members = reader.members(root, ())
        scorers = _scorers(members["eval"], reader)
        rows = reader.items(members["samples"], ("samples",))
        if len(rows) > MAX_CASES:
            raise reader.refuse(root.mark, ("samples",), f"a suite has at most {MAX_CASES} cases")
        known: set[str] = set()
        read = CaseReader(reader, Graders())
        for number, (path, row) in enumerate(rows, 1):
            if not isinstance(row, MapNode):
                reader.say(row.mark, path, "a sample is a mapping")
                continue
            epoch, name = (_value(row, it, reader, path) for it in ("epoch", "id"))
            epochs = max(epochs, epoch if isinstance(epoch, int) else 1)
            if str(name) in known:
                continue
            known.add(str(name))
            case = _case(row, number, path, (read, scorers))
            cases += [] if case is None else [case]
    except Unreadable:
        pass
    if not cases and not reader.problems:
        reader.say(root.mark, ("samples",), "there is no sample in it")
    suite = Suite(file.stem, tuple(cases), repeats=min(epochs, MAX_REPEATS))
    problems = tuple(in_order(reader.problems))
    return Loaded(() if problems else (suite,), problems, tuple(in_order(reader.warnings)))


def _value(row: MapNode, name: str, reader: Reader, path: Path) -> Any:
    found = row.pairs.get(name)
    return None if found is None else reader.value(found[1], (*path, name))


def _scorers(node: Node, reader: Reader) -> list[tuple[str, dict[str, Any]]]:
    said = reader.value(node, ("eval",))
    named = said.get("scorers") if isinstance(said, dict) else None
    found = [
        (str(it["name"]).removeprefix("inspect_ai/"), it.get("options") or {})
        for it in named or ()
        if isinstance(it, dict) and "name" in it and isinstance(it.get("options") or {}, dict)
    ]
    if not found:
        what = "it names no scorer, so that nothing says what its answers have to be"
        raise reader.refuse(node.mark, ("eval", "scorers"), what)
    return found


def _case(
    row: MapNode,
    number: int,
    path: Path,
    by: tuple[CaseReader, list[tuple[str, dict[str, Any]]]],
) -> Case | None:
    """The sample as it was asked; None where it cannot be, and why is said."""
    read, scorers = by
    reader = read.reader
    try:
        asked = _asked(row, path, reader)
        kept = {name: it for name, it in row.pairs.items() if name in _TAKEN}
        kept["input"] = row.mark, node_of(asked, row.mark)
        own = case_node(MapNode(row.mark, kept), number, reader)
        target = _value(row, "target", reader, path)
        checks = [_check(name, options, target) for name, options in scorers]
    except Unreadable:
        return None
    assert isinstance(own, MapNode)  # noqa: S101 - of a mapping
    own.pairs["checks"] = row.mark, node_of(checks, row.mark)
    return read.read(own, path)


def _asked(row: MapNode, path: Path, reader: Reader) -> Any:
    """What stood before the answer: solvers put instructions and choices around an input."""
    messages = _value(row, "messages", reader, path)
    if not isinstance(messages, list) or not messages:
        return _value(row, "input", reader, path)
    roles = [it.get("role") if isinstance(it, dict) else None for it in messages]
    answers = [at for at, role in enumerate(roles) if role == "assistant"]
    if len(answers) > 1 or "tool" in roles:
        what = "its answer came after several turns or of tools, and one question is asked here"
        raise reader.refuse(row.mark, (*path, "messages"), what)
    before = messages[: answers[0]] if answers else messages
    return [{"role": it.get("role"), "content": it.get("content")} for it in before]


def _check(name: str, options: dict[str, Any], target: Any) -> dict[str, Any]:
    """A scorer of Inspect's as a check is written here."""
    match name:
        case "includes":
            return {"contains": {"ignore_case": options.get("ignore_case") is not False}}
        case "exact":
            return {"exact": {"normalise": True}}
        case "match" if options.get("ignore_case") is not False:
            place = options.get("location", "end")
            if options.get("numeric") and place in ("begin", "end"):
                return {"numeric": {"which": "first" if place == "begin" else "last"}}
            if not options.get("numeric") and place == "exact":
                return {"exact": {"normalise": True}}
            if not options.get("numeric") and place in _PLACES:
                return {"contains": {"normalise": True, **_PLACES[place]}}
        case "choice" if isinstance(target, str) and len(target) == 1 and target.isalnum():
            return {"regex": {"pattern": rf"(?i)answer\s*:\s*\(?{target}\b"}}
        case "model_graded_fact" | "model_graded_qa":
            if options.keys() & {"template", "instructions", "grade_pattern"}:
                return _unmade(name, _TEMPLATE, options)
            if name == "model_graded_fact":
                return {"judge_rubric": {"preset": "correctness"}}
            return {"judge_rubric": {"rubric": _MEETS}}
    return _unmade(name, _CODE, options)


def _unmade(name: str, why: str, options: dict[str, Any]) -> dict[str, Any]:
    written = {"written": options} if options else {}
    return {"unsupported": {"type": name, "why": why, **written}}
