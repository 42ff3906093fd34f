"""Habits: where time is read, how SQL is made, what is imported where, what never appears."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import Module, Tree, dotted, imported_names, resolved

CLOCK = Path("core/clock.py")
PLUGS = Path("core/plugs.py")

# Reads of a clock or of unseeded randomness. `random.Random(seed)` is judged apart.
_IMPURE = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time|clock_gettime)(_ns)?"
    r"|time\.(ctime|asctime|localtime|gmtime|strftime)"
    r"|(datetime\.)?(datetime|date)\.(now|utcnow|today)"
    r"|os\.(urandom|getrandom)|uuid\.uuid\w+|secrets\.\w+|random\.\w+"
)
# These are pure when they are given the time.
_PURE_WITH_ARGUMENTS = {"time.localtime": 1, "time.gmtime": 1, "time.strftime": 2}
_DANGEROUS_CALLS = {
    *("eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"),
    *("yaml.full_load", "ssl._create_unverified_context"),
}
_DANGEROUS_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
_DANGEROUS_ARGUMENTS = {"shell": True, "verify": False, "check_hostname": False}
_SQL_CALLS = {"text", "execute", "executemany", "executescript", "exec_driver_sql"}
# SQL is written in capitals here, so a sentence that begins with "select" is none.
_SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|ATTACH|WITH)\s")
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
_SKIPS = re.compile(r"(pytest|pytest\.mark|unittest)\.(skip\w*|xfail|expectedFailure|importorskip)")


def _calls(module: Module) -> Iterator[ast.Call]:
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield node


def clock(tree: Tree) -> list[str]:
    """Time and unseeded randomness only in core/clock.py."""
    found = []
    for module in tree.source:
        if module.path == CLOCK:
            continue
        names = imported_names(module)
        pure = {
            id(call.func)
            for call in _calls(module)
            if _is_pure(resolved(call.func, names), len(call.args) + len(call.keywords))
        }
        for node in module.nodes:
            if not isinstance(node, ast.Attribute | ast.Name) or id(node) in pure:
                continue
            name = resolved(node, names)
            if _IMPURE.fullmatch(name) and name != "random.Random":
                found.append(module.at(node, f"{name} outside core/clock.py"))
            elif name == "random.Random" and not _is_annotation_or_base(module, node):
                found.append(module.at(node, "random.Random without a seed"))
    return found


def _is_pure(name: str, arguments: int) -> bool:
    if name == "random.Random":
        return arguments == 1
    return arguments >= _PURE_WITH_ARGUMENTS.get(name, 1_000)


def _is_annotation_or_base(module: Module, name: ast.expr) -> bool:
    """A type's mention draws nothing; only a call does."""
    return not any(call.func is name for call in _calls(module))


def json_imports(tree: Tree) -> list[str]:
    """stdlib json accepts what we must refuse; msgspec reads everything here."""
    return [
        module.at(node, "stdlib json")
        for module in tree.source
        for node in module.nodes
        if (isinstance(node, ast.Import) and any(a.name == "json" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "json")
    ]


def late_imports(tree: Tree) -> list[str]:
    """Lazy loads only through core.plugs."""
    found = []
    for module in tree.source:
        if module.path == PLUGS:
            continue
        late = {
            node
            for function in module.functions()
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        found += [module.at(node, "an import inside a function") for node in late]
        names = imported_names(module)
        found += [
            module.at(call, "a lazy load outside core/plugs.py")
            for call in _calls(module)
            if resolved(call.func, names) in ("importlib.import_module", "__import__")
        ]
    return found


def _is_built(node: ast.expr) -> bool:
    """An f-string with a value that is no constant's, `%`, `+` or `.format` over text."""
    if isinstance(node, ast.JoinedStr):
        values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return not all(isinstance(value, ast.Name) and value.id.isupper() for value in values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "format_map", "join", "replace")
    )


def _first_text(node: ast.expr) -> str:
    """The text that a built string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return _first_text(node.values[0])
    if isinstance(node, ast.BinOp):
        return _first_text(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _first_text(node.func.value)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def built_sql(tree: Tree) -> list[str]:
    """SQL is written whole, values are bound."""
    found = []
    for module in tree.source:
        for call in _calls(module):
            name = dotted(call.func).rpartition(".")[2]
            if name in _SQL_CALLS and call.args and _is_built(call.args[0]):
                found.append(module.at(call, f"{name} of a built string"))
        for node in module.nodes:
            if isinstance(node, ast.expr) and _is_built(node) and _SQL.match(_first_text(node)):
                found.append(module.at(node, "SQL built from parts"))
    return found


def dangerous(tree: Tree) -> list[str]:
    found = []
    for module in tree.source:
        names = imported_names(module)
        imported = {name.partition(".")[0] for name in names.values()}
        found += [f"{module.path}: imports {name}" for name in imported & _DANGEROUS_MODULES]
        for call in _calls(module):
            name = resolved(call.func, names)
            if name in _DANGEROUS_CALLS:
                found.append(module.at(call, f"{name}()"))
            for keyword in call.keywords:
                if keyword.arg in _DANGEROUS_ARGUMENTS and (
                    getattr(keyword.value, "value", None) is _DANGEROUS_ARGUMENTS[keyword.arg]
                ):
                    found.append(module.at(call, f"{keyword.arg}={keyword.value.value}"))  # type: ignore[attr-defined]
        found += [
            module.at(node, "certificates unchecked")
            for node in module.nodes
            if isinstance(node, ast.Attribute) and node.attr == "CERT_NONE"
        ]
    return found


def unfinished(tree: Tree) -> list[str]:
    return [
        f"{module.path}:{number}: unfinished work is an issue, not a comment"
        for module in tree.source + tree.tests + tree.bench
        for number, line in enumerate(module.text.splitlines(), 1)
        if _UNFINISHED.search(line)
    ]


def skips(tree: Tree) -> list[str]:
    """A test runs or does not exist."""
    found = []
    for module in tree.tests:
        names = imported_names(module)
        found += [
            module.at(node, f"{name}: a test runs or does not exist")
            for node in module.nodes
            if isinstance(node, ast.Attribute | ast.Name)
            and _SKIPS.fullmatch(name := resolved(node, names))
        ]
    return found
