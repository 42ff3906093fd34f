"""One case as our own suites write it, in YAML or as a line of JSON."""

from typing import Any, Final

from msgspec import Raw, Struct

from tidegate.config.problem import Path
from tidegate.config.tree import MapNode, Node
from tidegate.core.grading import Case, Check
from tidegate.core.words import quoted
from tidegate.evals.checking import Graders
from tidegate.evals.reading import Reader, Unreadable, is_nothing, raw

MAX_ID_CHARS = 200
MAX_CHECKS = 100
ROLES: Final = ("system", "developer", "user", "assistant")
_OF_DEFAULTS: Final = (
    *("variables", "context", "checks", "must_pass", "strata", "threshold"),
    *("expected", "turns"),
)
_OF_CASES: Final = ("id", "description", *_OF_DEFAULTS)
_BESIDE: Final = ("not", "weight", "threshold", "metric")


class Defaults(Struct, frozen=True):
    """What cases have where they do not say otherwise. Their checks come after these; variables and
    strata are added by name."""

    variables: dict[str, Raw] = {}
    turns: tuple[tuple[str, str], ...] = ()
    expected: Raw | None = None
    context: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    must_pass: bool = False
    strata: dict[str, str] = {}
    threshold: float | None = None


class CaseReader:
    """Reads the cases of one suite; their ids are each its own."""

    def __init__(self, reader: Reader, graders: Graders) -> None:
        self.reader = reader
        self.graders = graders
        self.defaults = Defaults()
        self._lines: dict[str, tuple[str, int]] = {}

    def read_defaults(self, node: Node, path: Path) -> None:
        members = self.reader.members(node, path, _OF_DEFAULTS)
        self.defaults = Defaults(**self._shared(members, path))

    def read(self, node: Node, path: Path) -> Case | None:
        """The case, or None when it cannot be read; why is said."""
        said_before = len(self.reader.problems)
        try:
            members = self.reader.members(node, path, _OF_CASES)
            name = self._id(members, node, path)
            said = self._shared(members, path)
            if "description" in members:
                at = (*path, "description")
                said["description"] = self.reader.text(members["description"], at)
        except Unreadable:
            return None
        for key in ("variables", "strata"):
            said[key] = {**getattr(self.defaults, key), **said.get(key, {})}
        said["checks"] = (*self.defaults.checks, *said.get("checks", ()))
        for key in ("turns", "expected", "context", "must_pass", "threshold"):
            said.setdefault(key, getattr(self.defaults, key))
        case = Case(name, **said)
        if not case.checks and len(self.reader.problems) == said_before:
            self.reader.say(node.mark, path, "the case checks nothing; it needs `checks`")
        elif case.turns and case.variables:
            self.reader.say(node.mark, path, "write `turns` or `variables`, not both")
        return case

    def _id(self, members: dict[str, Node], node: Node, path: Path) -> str:
        if "id" not in members:
            raise self.reader.refuse(node.mark, path, "`id` is missing")
        name = self.reader.text(members["id"], (*path, "id"))
        mark = members["id"].mark
        if not name or len(name) > MAX_ID_CHARS or not name.isprintable():
            what = f"an id is 1 to {MAX_ID_CHARS} characters that can be printed"
            raise self.reader.refuse(mark, (*path, "id"), what)
        if name in self._lines:
            file, line = self._lines[name]
            where = f"line {line}" if file == self.reader.file else f"{file}:{line}"
            what = f"the id {quoted(name)} is already on {where}"
            raise self.reader.refuse(mark, (*path, "id"), what)
        self._lines[name] = self.reader.file, mark.line
        return name

    def _shared(self, members: dict[str, Node], path: Path) -> dict[str, Any]:
        """What cases and defaults may both say, as far as it is there."""
        reader = self.reader
        said: dict[str, Any] = {}
        for name, node in members.items():
            at = (*path, name)
            match name:
                case "variables":
                    pairs = reader.members(node, at).items()
                    said[name] = {key: reader.raw(it, (*at, key)) for key, it in pairs}
                case "strata":
                    pairs = reader.members(node, at).items()
                    said[name] = {key: reader.text(it, (*at, key)) for key, it in pairs}
                case "turns":
                    said[name] = tuple(self._turn(it, way) for way, it in reader.items(node, at))
                case "expected":
                    said[name] = None if is_nothing(node) else reader.raw(node, at)
                case "context":
                    said[name] = reader.texts(node, at)
                case "checks":
                    said[name] = self._checks(node, at)
                case "must_pass":
                    said[name] = reader.truth(node, at)
                case "threshold":
                    said[name] = self._threshold(node, at)
        return said

    def _threshold(self, node: Node, path: Path) -> float:
        threshold = self.reader.number(node, path, 0.0, 1.0)
        if threshold == 0:
            raise self.reader.refuse(node.mark, path, "with a threshold of 0 everything passes")
        return threshold

    def _turn(self, node: Node, path: Path) -> tuple[str, str]:
        """`{user: text}`, or `{role: user, content: text}`."""
        members = self.reader.members(node, path)
        if members.keys() == {"role", "content"}:
            role = self.reader.text(members["role"], (*path, "role"))
            content = members["content"]
        elif len(members) == 1:
            [(role, content)] = members.items()
        else:
            what = "a turn is `{user: text}` or `{role: user, content: text}`"
            raise self.reader.refuse(node.mark, path, what)
        if role not in ROLES:
            what = f"{quoted(role)} is no role; those are {', '.join(ROLES)}"
            raise self.reader.refuse(node.mark, path, what)
        return role, self.reader.text(content, path)

    def _checks(self, node: Node, path: Path) -> tuple[Check, ...]:
        rows = self.reader.items(node, path)
        if len(rows) > MAX_CHECKS:
            raise self.reader.refuse(node.mark, path, f"a case has at most {MAX_CHECKS} checks")
        return tuple(check for at, it in rows if (check := self._check(it, at)) is not None)

    def _check(self, node: Node, path: Path) -> Check | None:
        """`exact`, or `{contains: {any: [yes]}, not: true, weight: 2}`."""
        if not isinstance(node, MapNode):
            name, members = self.reader.text(node, path), dict[str, Node]()
            options: Any = {}
        else:
            members = self.reader.members(node, path)
            names = [it for it in members if it not in _BESIDE]
            if len(names) != 1:
                what = f"a check is one grader's name with its options; found {len(names)}"
                raise self.reader.refuse(node.mark, path, what)
            [name] = names
            options = self.reader.value(members[name], (*path, name))
            if options is None:
                options = {}
            if not isinstance(options, dict):
                what = "the options of a grader are a mapping"
                raise self.reader.refuse(members[name].mark, (*path, name), what)
        said = self.graders.wrong(name, options)
        if said is not None:
            own = members.get(name)
            at = path if own is None else (*path, name)
            self.reader.say(node.mark if own is None else own.mark, at, said)
            return None
        return self._weighed(name, options, members, path)

    def _weighed(
        self, name: str, options: dict[str, Any], members: dict[str, Node], path: Path
    ) -> Check:
        reader = self.reader
        negated, weight, threshold, metric = False, 1.0, None, None
        if "not" in members:
            negated = reader.truth(members["not"], (*path, "not"))
        if "weight" in members:
            weight = reader.number(members["weight"], (*path, "weight"), 0.0, 1e6)
        if "threshold" in members:
            threshold = self._threshold(members["threshold"], (*path, "threshold"))
        if "metric" in members:
            metric = reader.text(members["metric"], (*path, "metric"))
        return Check(name, raw(options), negated, weight, threshold, metric)
