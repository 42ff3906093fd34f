"""No state lives in a module: what changes is made by someone and passed on.

A container bound at module level must be a constant by name (UPPER_CASE), and no function of
its module may change it. `global` and memos without a bound are state by another name.
"""

import ast
from collections.abc import Iterator

from tests.tidy.tree import Module, Tree, dotted, imported_names, resolved

_CONTAINERS = {
    *("list", "dict", "set", "bytearray", "collections.defaultdict", "collections.deque"),
    *("collections.OrderedDict", "collections.Counter", "collections.ChainMap"),
    *("weakref.WeakValueDictionary", "weakref.WeakKeyDictionary", "weakref.WeakSet"),
    *("contextvars.ContextVar", "threading.local", "threading.Lock", "threading.Event"),
    *("asyncio.Lock", "asyncio.Event", "asyncio.Queue", "asyncio.Semaphore", "queue.Queue"),
    *("itertools.count", "itertools.cycle"),
}
_CHANGING_METHODS = {
    *("append", "extend", "insert", "remove", "pop", "popitem", "clear", "sort", "reverse"),
    *("update", "setdefault", "add", "discard", "appendleft", "popleft", "rotate"),
}
# Abstract types that offer no change, so that the type checker forbids it.
_UNCHANGING = {
    *("collections.abc.Mapping", "collections.abc.Sequence", "collections.abc.Set"),
    *("collections.abc.Collection", "collections.abc.Iterable"),
}
_LITERALS = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, ast.expr]]:
    """(statement, name, value) of each assignment in a body, through `if` and `try`."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield node, target.id, node.value
        elif isinstance(node, ast.AnnAssign):
            if isinstance(node.target, ast.Name) and node.value is not None:
                yield node, node.target.id, node.value
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _bindings(node.body)
            yield from _bindings(getattr(node, "orelse", []))


def _is_container(value: ast.expr, names: dict[str, str]) -> bool:
    if isinstance(value, _LITERALS):
        return True
    return isinstance(value, ast.Call) and resolved(value.func, names) in _CONTAINERS


def _is_constant(name: str) -> bool:
    return name.isupper() or name == "__all__"


def _changed_names(module: Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Names whose object a function of the module changes: an item set or deleted, a changing
    method called. What the module's own body does while it is read only completes a constant."""
    for node in (part for function in module.functions() for part in ast.walk(function)):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node, dotted(node.value)
        elif isinstance(node, ast.AugAssign):
            yield node, dotted(node.target)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CHANGING_METHODS
        ):
            yield node, dotted(node.func.value)


def module_state(tree: Tree) -> list[str]:
    found = []
    for module in tree.source:
        names = imported_names(module)
        containers = set()
        for node, name, value in _bindings(module.syntax.body):
            if _is_container(value, names):
                containers.add(name)
                if not _is_constant(name):
                    found.append(module.at(node, f"{name}: a container at module level"))
        found += [
            module.at(node, f"{name} is changed: state is passed, never imported")
            for node, name in _changed_names(module)
            if name in containers and name != "__all__"
        ]
        found += [
            module.at(node, f"global {', '.join(node.names)}")
            for node in module.nodes
            if isinstance(node, ast.Global)
        ]
    return found


def _is_unchanging(statement: ast.stmt, names: dict[str, str]) -> bool:
    """`name: Mapping[...] = ...`, also inside ClassVar or Final."""
    if not isinstance(statement, ast.AnnAssign):
        return False
    annotation = statement.annotation
    while isinstance(annotation, ast.Subscript):
        if resolved(annotation.value, names) in _UNCHANGING:
            return True
        annotation = annotation.slice
    return resolved(annotation, names) in _UNCHANGING


def class_state(tree: Tree) -> list[str]:
    """A container in a class body is shared by all its objects. Structs copy theirs, and one
    of an abstract type that cannot be changed is a constant."""
    found = []
    for module in tree.source:
        names = imported_names(module)
        for node in module.nodes:
            if not isinstance(node, ast.ClassDef):
                continue
            if any(dotted(base).endswith("Struct") for base in node.bases):
                continue
            found += [
                module.at(statement, f"{node.name}.{name}: a container shared by all objects")
                for statement, name, value in _bindings(node.body)
                if _is_container(value, names)
                and not _is_unchanging(statement, names)
                and not name.lstrip("_").isupper()
                and name != "__slots__"
            ]
    return found


def _is_unbounded_memo(decorator: ast.expr, names: dict[str, str]) -> bool:
    if isinstance(decorator, ast.Call):
        if resolved(decorator.func, names) != "functools.lru_cache":
            return False
        given = [*decorator.args, *(k.value for k in decorator.keywords if k.arg == "maxsize")]
        return any(isinstance(value, ast.Constant) and value.value is None for value in given)
    return resolved(decorator, names) == "functools.cache"


def unbounded_memos(tree: Tree) -> list[str]:
    found = []
    for module in tree.source:
        names = imported_names(module)
        found += [
            module.at(function, f"{function.name}: a memo without a bound")
            for function in module.functions()
            if any(_is_unbounded_memo(decorator, names) for decorator in function.decorator_list)
            and (function.args.args or function.args.kwonlyargs)
        ]
    return found
