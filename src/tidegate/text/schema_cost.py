"""How much work a JSON Schema can make of one place in a document, reckoned before it is used.

References and alternatives multiply: thirty lines can ask for a billion evaluations, and a
recursive schema for two at each level of nesting. What is reckoned is the most evaluations on the
way from the top of a document to any one value in it; the whole cost is at most that, times the
number of values.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

MAX_EVALUATIONS = 10_000
# As deep as a document may be that is judged at all.
MAX_DEPTH = 64
MAX_RECURSIVE_SCHEMAS = 500

_Kind = Literal["object", "array"]
_KINDS: Final[tuple[_Kind, _Kind]] = ("object", "array")
_IN_PLACE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_IN_PLACE_TABLES = ("dependentSchemas", "dependencies")
_CHILDREN: Final[dict[_Kind, tuple[str, ...]]] = {
    "object": ("additionalProperties", "unevaluatedProperties", "propertyNames"),
    "array": ("items", "additionalItems", "unevaluatedItems", "contains"),
}
_DYNAMIC = ("$dynamicRef", "$recursiveRef")


class TooCostly(ValueError):
    """What is wrong with a schema, in words for who wrote it."""


def check_cost(root: Any) -> int:
    """The most evaluations that a value can need. TooCostly: they are over MAX_EVALUATIONS, or a
    reference cannot be followed."""
    reckoning = _Reckoning(root)
    try:
        cost = reckoning.at_once(root)
        return reckoning.level_by_level(root) if reckoning.recursive else cost
    except RecursionError:
        raise TooCostly("the schema is nested too deep") from None


class _Reckoning:
    """Costs by schema and by the kind of value that it is held against."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[tuple[int, _Kind], int] = {}
        self._below: dict[tuple[int, _Kind], int] = {}
        # Being reckoned: against the value in hand, and all the way down to it.
        self._open: set[int] = set()
        self._above: set[int] = set()
        self._schemas: dict[int, Any] = {}
        self._by_level = False
        self.recursive = False

    def at_once(self, root: Any) -> int:
        """Without recursion every schema costs the same wherever it stands."""
        return self._best(root)

    def level_by_level(self, root: Any) -> int:
        """With recursion: what each costs where so many levels are below it, from none upward."""
        if len(self._schemas) > MAX_RECURSIVE_SCHEMAS:
            raise TooCostly(f"a recursive schema may have {MAX_RECURSIVE_SCHEMAS} parts")
        self._by_level = True
        self._known = {}
        for _ in range(MAX_DEPTH):
            self._below, self._known = self._known, {}
            for schema in list(self._schemas.values()):
                self._best(schema)
        return self._best(root)

    def _best(self, schema: Any) -> int:
        return max(self._cost(schema, kind) for kind in _KINDS)

    def _cost(self, schema: Any, kind: _Kind) -> int:
        if not isinstance(schema, dict):
            return 1
        place = (id(schema), kind)
        known = self._known.get(place)
        if known is not None:
            return known
        here = id(schema)
        if here in self._open:
            raise TooCostly("a schema refers to itself without going into the value")
        if here in self._above:
            self.recursive = True
            return 0
        self._schemas[here] = schema
        cost = self._sum(schema, kind, here)
        if cost > MAX_EVALUATIONS:
            raise TooCostly(
                f"one value could take more than {MAX_EVALUATIONS} evaluations of this schema: "
                "alternatives and references multiply"
            )
        self._known[place] = cost
        return cost

    def _sum(self, schema: dict[str, Any], kind: _Kind, here: int) -> int:
        self._open.add(here)
        cost = 1 + sum(self._cost(one, kind) for one in self._in_place(schema))
        self._open.discard(here)
        self._above.add(here)
        above, self._open = self._open, set()
        cost += self._children(schema, kind)
        self._open = above
        self._above.discard(here)
        return cost

    def _in_place(self, schema: dict[str, Any]) -> Iterator[Any]:
        """The schemas that are held against the same value."""
        for name in _DYNAMIC:
            if name in schema:
                raise TooCostly(f"`{name}` is not supported; use `$ref`")
        if "$ref" in schema:
            yield self._referred(schema["$ref"])
        for name in _IN_PLACE:
            if name in schema:
                yield schema[name]
        for name in _IN_PLACE_LISTS:
            yield from _list(schema.get(name))
        for name in _IN_PLACE_TABLES:
            yield from _table(schema.get(name)).values()

    def _children(self, schema: dict[str, Any], kind: _Kind) -> int:
        """The schemas that are held against one value within: of a property only its own."""
        cost = sum(self._within(schema[n]) for n in _CHILDREN[kind] if n in schema)
        if kind == "object":
            cost += max(map(self._within, _table(schema.get("properties")).values()), default=0)
            return cost + sum(map(self._within, _table(schema.get("patternProperties")).values()))
        return cost + max(map(self._within, _list(schema.get("prefixItems"))), default=0)

    def _within(self, schema: Any) -> int:
        if isinstance(schema, list):  # of older drafts, `items` by position
            return max(map(self._within, schema), default=0)
        if not isinstance(schema, dict):
            return 1
        if self._by_level:
            return max(self._below.get((id(schema), kind), 0) for kind in _KINDS)
        return self._best(schema)

    def _referred(self, ref: Any) -> Any:
        """The schema in this document that a reference names."""
        if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
            raise TooCostly("a `$ref` must name a place in this schema, such as `#/$defs/name`")
        found = self._root
        for part in ref.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise TooCostly(f"there is no {ref[:200]} in this schema") from None
        return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
