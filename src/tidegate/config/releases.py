"""The files `releases/ROUTE/NAME.yaml` beside a plan file, each read with all that is wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.load import mark_of
from tidegate.config.problem import Mark, Path, Problem, in_order
from tidegate.config.scalars import READERS
from tidegate.config.tree import MAX_FILE_BYTES, ScalarNode, read_tree
from tidegate.config.walk import Origin, Walked, walk
from tidegate.core.added import Added
from tidegate.core.change import Revision
from tidegate.core.compile import PlanRefused, compile_plan
from tidegate.core.compile_rollout import compile_rollout
from tidegate.core.declared import Declared
from tidegate.core.declared_rollout import DeclaredRollout
from tidegate.core.facts import Facts
from tidegate.core.plan import Plan
from tidegate.core.rollout import CERTIFICATE, Rollout
from tidegate.core.route_members import members_of
from tidegate.core.words import quoted

FOLDER = "releases"
SUFFIX = ".yaml"
MAX_FILES = 1000
MAX_NAME_CHARS = 64
_START = Mark(1, 1)


class ReleaseFile(Struct, frozen=True):
    """What one file says. `rollout` is None exactly when `problems` is not empty."""

    file: str
    rollout: Rollout | None
    problems: tuple[Problem, ...]
    origins: dict[Path, Origin] = {}


def release_files(plan_file: FilePath) -> list[FilePath]:
    """The files of all releases beside a plan file, by name. OSError when a folder is closed."""
    folder = plan_file.parent / FOLDER
    return sorted(it for it in folder.rglob(f"*{SUFFIX}") if it.is_file())[:MAX_FILES]


def release_file(plan_file: FilePath, release: str) -> FilePath:
    """Where the release called `ROUTE/NAME` is written. ValueError when that is no such name."""
    *route, name = release.split("/")
    if not route or not _is_name(name) or not all(it and it.strip(".") for it in route):
        raise ValueError(f"write ROUTE/NAME for the file {FOLDER}/ROUTE/NAME{SUFFIX}")
    return plan_file.parent.joinpath(FOLDER, *route, name + SUFFIX)


def read_release(file: FilePath, plan_file: FilePath, environ: Mapping[str, str]) -> ReleaseFile:
    """Total: any file gives a rollout or a list of problems. Its targets are not looked up."""
    shown = str(file)
    route, name = _called(file, plan_file)
    if route is None:
        what = f"a release lies at {FOLDER}/ROUTE/NAME{SUFFIX}: letters, digits, `.`, `_`, `-`"
        return ReleaseFile(shown, None, (Problem(shown, _START, (), what),))
    walked, problems = _walked(file, plan_file, environ)
    if walked is None:
        return ReleaseFile(shown, None, tuple(in_order(problems)))

    def say(path: Path, message: str) -> None:
        told = [*walked.spoiled, *(problem.path for problem in walked.problems)]
        if not any(s[: len(path)] == path or path[: len(s)] == s for s in told):
            problems.append(Problem(shown, mark_of(walked.origins, path), path, message))

    written = {path[1] for path in walked.origins if len(path) > 1 and path[0] == "change"}
    rollout = compile_rollout(route, name, walked.value, written, say)
    if problems:
        return ReleaseFile(shown, None, tuple(in_order(problems)), walked.origins)
    return ReleaseFile(shown, rollout, (), walked.origins)


def against_plan(
    read: ReleaseFile, declared: Declared, facts: Facts, now_s: float
) -> tuple[Problem, ...]:
    """What is wrong with a release that was read, on the plan that is declared."""
    return with_release(read, declared, facts, now_s)[1]


def with_release(
    read: ReleaseFile, declared: Declared, facts: Facts, now_s: float
) -> tuple[Plan | None, tuple[Problem, ...]]:
    """The plan that is declared, with a release that was read on its way onto its route, as if no
    other were; None, and what is wrong with it, where that does not compile."""
    rollout = read.rollout
    if rollout is None:
        return None, read.problems
    if rollout.route not in declared.routes:
        what = f"the plan has no route {quoted(rollout.route)}, which its folder names"
        return None, (Problem(read.file, _START, (), what),)
    facts = replace(facts, added=_with_start(facts.added, rollout, declared, now_s))
    try:
        plan = compile_plan(declared, version=0, now_s=now_s, facts=facts)
        vain = tuple(_vain_gate(read, rollout, plan))
        return (None if vain else plan), vain
    except PlanRefused as refused:
        at = (FOLDER, rollout.id)
        own = [(it.path[2:] if it.path[:2] == at else (), it) for it in refused.complaints]
        found = (Problem(read.file, mark_of(read.origins, p), p, it.message) for p, it in own)
        return None, tuple(in_order(found))


def _vain_gate(read: ReleaseFile, rollout: Rollout, plan: Plan) -> Iterator[Problem]:
    """A certificate is of a prompt's version."""
    coming = plan.routes[rollout.route].candidates
    is_asked_by = any(it.route.prompt for it in coming if it.rollout == rollout.id)
    if CERTIFICATE in rollout.gates and not is_asked_by:
        path = ("gates", str(rollout.gates.index(CERTIFICATE)))
        what = "its route is asked by no prompt, so that there is nothing to certify"
        yield Problem(read.file, mark_of(read.origins, path), path, what)


def _with_start(added: Added, rollout: Rollout, declared: Declared, now_s: float) -> Added:
    """As if the release had just been started, and no other of its route were under way."""
    base = members_of(declared.routes[rollout.route], rollout.members)
    start = Revision(
        seq=1 << 62,
        id="trial",
        kind="start",
        route=rollout.route,
        author="",
        reason="",
        at_s=now_s,
        rollout=rollout.id,
        base=base,
        salt="trial",
    )
    others = [it for it in added.revisions if it.kind != "start" or it.route != rollout.route]
    rollouts = {**added.rollouts, rollout.id: rollout}
    return replace(added, revisions=(*others, start), rollouts=rollouts)


def _walked(
    file: FilePath, plan_file: FilePath, environ: Mapping[str, str]
) -> tuple[Walked | None, list[Problem]]:
    shown = str(file)
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return None, [Problem(shown, _START, (), f"cannot be read: {reason}")]
    root, problems = read_tree(data, shown)
    if root is None or (isinstance(root, ScalarNode) and root.kind == "nothing"):
        return None, problems or [
            Problem(shown, _START, (), "it is empty; it needs `owner:` and `change:`")
        ]
    # What stands in it stands for keys of the plan file, and so do its relative paths.
    walked = walk(root, DeclaredRollout, shown, environ, str(plan_file.parent))
    return walked, [*problems, *walked.problems]


def _called(file: FilePath, plan_file: FilePath) -> tuple[str | None, str]:
    """The route and the name by where the file lies; None where it lies elsewhere."""
    folder = plan_file.parent.absolute() / FOLDER
    try:
        below = file.absolute().relative_to(folder)
    except ValueError:
        return None, ""
    route = "/".join(below.parent.parts)
    if file.suffix != SUFFIX or not route or not _is_name(file.stem):
        return None, ""
    return route, file.stem


def _is_name(text: str) -> bool:
    try:
        READERS["name"](text)
    except ValueError:
        return False
    return len(text) <= MAX_NAME_CHARS
