"""Evals of OpenAI's registry: its YAML, and the samples that it names.

The registry's folders are `evals/` beside `data/` and `modelgraded/`; a file that lies in no folder
`evals` has its data beside it. Nothing outside the registry is read.
"""

from pathlib import Path as FilePath
from typing import Any, Final

from tidegate.config.problem import Path, Problem, in_order
from tidegate.config.tree import MapNode, Node
from tidegate.core.grading import Case, Check
from tidegate.core.words import quoted
from tidegate.evals import ours
from tidegate.evals.files import Outside, beside, read_lines, read_yaml
from tidegate.evals.reading import Reader, Unreadable, raw
from tidegate.evals.suite import REPEATS, Loaded, Suite

# What a prompt of theirs has filled in, and how a judge here is shown it.
PLACES: Final = {"input": "QUESTION", "ideal": "REFERENCE", "completion": "ANSWER"}
_ABC: Final = {"from_n_abc": "ABCDEFGH", "from_n_abc_or_unknown": "ABCDEFGH"}
_ROLES: Final = ("system", "developer", "user", "assistant")
_CLASSES: Final = ("Match", "Includes", "FuzzyMatch", "JsonMatch", "ModelBasedClassify")


def is_registry(root: MapNode) -> bool:
    """Whether every member is an eval: a name with `id`, or a version with `class`."""
    nodes = [node for _, node in root.pairs.values()]
    return bool(nodes) and all(
        isinstance(node, MapNode) and node.pairs.keys() & {"id", "class", "choice_strings"}
        for node in nodes
    )


def read_registry(root: MapNode, file: FilePath, reader: Reader) -> Loaded:
    """Each eval of a file as a suite by the name of its version. One that is wrong is told, and
    does not take the others with it."""
    home = file.parent.parent if file.parent.name == "evals" else file.parent
    registry = _Registry(home, reader)
    suites = []
    versions = {name: node for name, (_, node) in root.pairs.items() if _has(node, "class")}
    for name, (mark, node) in root.pairs.items():
        if _has(node, "choice_strings"):
            reader.say(mark, (name,), "this is how a model is asked to grade, and no eval itself")
        elif _has(node, "id") and not _has(node, "class"):
            at = (name, "id")
            try:
                aim = reader.text(reader.members(node, (name,))["id"], at)
            except Unreadable:
                continue
            if aim not in versions:
                reader.say(mark, at, f"there is no eval {quoted(aim)} in this file")
    for name, node in versions.items():
        try:
            suites.append(registry.suite(name, node))
        except Unreadable:
            continue
    problems = [*in_order(reader.problems), *registry.elsewhere]
    return Loaded(tuple(suites), tuple(problems))


def _has(node: Node, member: str) -> bool:
    return isinstance(node, MapNode) and member in node.pairs


class _Registry:
    """One registry's folder, and the file of evals in it that is read."""

    def __init__(self, home: FilePath, reader: Reader) -> None:
        self.home = home
        self.reader = reader
        self.elsewhere: list[Problem] = []

    def suite(self, name: str, node: Node) -> Suite:
        reader = self.reader
        members = reader.members(node, (name,))
        kind = reader.text(members["class"], (name, "class")).rpartition(":")[2]
        if kind not in _CLASSES:
            what = f"the class {quoted(kind)} is not known; those are {', '.join(_CLASSES)}"
            raise reader.refuse(members["class"].mark, (name, "class"), what)
        if "args" not in members:
            raise reader.refuse(node.mark, (name,), "`args` is missing")
        args = reader.members(members["args"], (name, "args"))
        at = (name, "args")
        checks = (self._check(kind, args, at),)
        if "samples_jsonl" not in args:
            raise reader.refuse(members["args"].mark, at, "`samples_jsonl` is missing")
        cases = self._cases(args["samples_jsonl"], (*at, "samples_jsonl"), checks)
        return Suite(_plain_name(name), cases, repeats=REPEATS, description=name)

    def _cases(self, node: Node, path: Path, checks: tuple[Check, ...]) -> tuple[Case, ...]:
        name = self.reader.text(node, path)
        file = self._find(node, path, name, "data")
        lines = Reader(str(file))
        found: list[Case] = []
        names: set[str] = set()
        for number, line in enumerate(read_lines(file, lines), 1):
            case = _sample(line, lines, number, checks)
            if case is not None and case.id in names:
                lines.say(line.mark, (), f"the id {quoted(case.id)} is there twice")
            elif case is not None:
                names.add(case.id)
                found.append(case)
        self.elsewhere += in_order(lines.problems)
        if lines.problems:
            raise Unreadable
        if not found:
            raise self.reader.refuse(node.mark, path, f"there is no sample in {name}")
        return tuple(found)

    def _find(self, node: Node, path: Path, name: str, folder: str) -> FilePath:
        """A file of the registry, in its folder or beside."""
        try:
            for place in (f"{folder}/{name}", name):
                found = beside(self.home, place)
                if found.is_file():
                    return found
        except Outside as outside:
            raise self.reader.refuse(node.mark, path, str(outside)) from None
        raise self.reader.refuse(node.mark, path, f"there is no file {name} in the registry")

    def _check(self, kind: str, args: dict[str, Node], path: Path) -> Check:
        reader = self.reader
        if "num_few_shot" in args and reader.value(args["num_few_shot"], path) not in (0, None):
            raise reader.refuse(args["num_few_shot"].mark, path, "`num_few_shot` is not carried")
        match kind:
            case "Match":
                return Check("contains", raw({"at": "start"}))
            case "Includes":
                given = args.get("ignore_case")
                caseless = given is not None and reader.truth(given, (*path, "ignore_case"))
                return Check("contains", raw({"ignore_case": True} if caseless else {}))
            case "FuzzyMatch":
                return Check("contains", raw({"normalise": True, "either_way": True}))
            case "JsonMatch":
                return Check("exact", raw({"json": True}))
        return self._judge(args, path)

    def _judge(self, args: dict[str, Node], path: Path) -> Check:
        """A judge by a model-graded spec. What has no place here is a check that is not made."""
        reader = self.reader
        if "modelgraded_spec" not in args:
            raise reader.refuse(self._mark(args), path, "`modelgraded_spec` is missing")
        spec = args["modelgraded_spec"]
        name = reader.text(spec, (*path, "modelgraded_spec"))
        for member in ("multicomp_n", "metaeval"):
            if member in args:
                why = f"`{member}` asks for what is not carried"
                return Check("unsupported", raw({"type": "ModelBasedClassify", "why": why}))
        file = self._find(spec, (*path, "modelgraded_spec"), f"{name}.yaml", "modelgraded")
        other = Reader(str(file))
        try:
            root = read_yaml(file, other)
            if root is None or not _has(root, name):
                raise other.refuse(spec.mark, (), f"it holds no {quoted(name)}")
            written = other.value(other.members(root, ())[name], (name,))
        except Unreadable:
            self.elsewhere += other.problems
            raise
        given = {}
        if "modelgraded_spec_args" in args:
            given = reader.value(args["modelgraded_spec_args"], path)
        return Check("judge_rubric", raw(self._rubric(written, given, spec, path)))

    def _mark(self, args: dict[str, Node]) -> Any:
        return next(iter(args.values())).mark

    def _rubric(self, written: Any, given: Any, spec: Node, path: Path) -> dict[str, Any]:
        """The prompt as a rubric: what it would fill in, our judge is shown by name."""
        try:
            prompt, strings = written["prompt"], written["choice_strings"]
            choices = list(_ABC.get(strings, strings)) if isinstance(strings, str) else strings
            scores = written.get("choice_scores") or {}
            for key, text in {**PLACES, **dict(given or {})}.items():
                prompt = prompt.replace(f"{{{key}}}", f"({text})" if key in PLACES else str(text))
            if not scores:
                # Without scores it only counts answers by choice; nobody says which is right.
                raise self.reader.refuse(spec.mark, path, "its spec has no `choice_scores`")
            top = max(scores.values())
            said = {str(it): float(scores[it]) / top for it in choices}
        except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
            what = f"the spec is not one of a prompt with choices: {error}"
            raise self.reader.refuse(spec.mark, path, what) from None
        return {"rubric": prompt, "choices": said}


def _sample(line: Node, reader: Reader, number: int, checks: tuple[Check, ...]) -> Case | None:
    """One sample: `input`, a text or turns, and `ideal`, a text or several."""
    try:
        members = reader.members(line, ())
        if "input" not in members:
            raise reader.refuse(line.mark, (), "`input` is missing")
        kept = _kept(members, reader)
        asked = reader.value(members["input"], ("input",))
        turns = (("user", asked),) if isinstance(asked, str) else _turns(asked)
        if turns is None:
            what = "`input` is a text, or a list of turns with `role` and `content`"
            raise reader.refuse(members["input"].mark, ("input",), what)
        expected = None
        if "ideal" in members:
            expected = raw(reader.value(members["ideal"], ("ideal",)))
        elif checks[0].grader in ("contains", "exact"):
            raise reader.refuse(line.mark, (), "`ideal` is missing")
    except Unreadable:
        return None
    name = kept.pop("id", f"s{number}")
    return Case(name, turns=turns, expected=expected, checks=checks, **kept)


def _kept(members: dict[str, Node], reader: Reader) -> dict[str, Any]:
    """What a sample that was written here has beside."""
    if ours.OURS not in members:
        return {}
    node, at = members[ours.OURS], (ours.OURS,)
    try:
        found = dict(ours.members(reader.value(node, at)))
    except ValueError as error:
        raise reader.refuse(node.mark, at, str(error)) from None
    found.pop("turns", None)
    return found


def _turns(asked: Any) -> tuple[tuple[str, str], ...] | None:
    try:
        turns = tuple((turn["role"], turn["content"]) for turn in asked)
    except (KeyError, TypeError):
        return None
    fits = all(role in _ROLES and isinstance(text, str) for role, text in turns)
    return turns if turns and fits else None


def _plain_name(name: str) -> str:
    """A name as ours are, of one as the registry has them."""
    kept = "".join(char if char.isalnum() or char in "._-" else "-" for char in name.lower())
    return kept[:64].strip("._-") or "eval"
