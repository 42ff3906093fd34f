"""Samples of Inspect's data sets (`input`, `target`, `id`, `metadata`, `choices`) as cases of ours.

A data set of Inspect's says what is asked and what is expected; how it is scored is Python of its
task. So its rows stand in the `cases_from` of a suite, which says what is checked.
"""

from typing import Any, Final

from tidegate.config.tree import MapNode, Node
from tidegate.evals.cases import ROLES
from tidegate.evals.reading import Reader, node_of, raw

KNOWN: Final = frozenset(("input", "target", "id", "metadata", "choices"))
# What a sample may ask for that is not there, and decides what its answer is worth.
REFUSED: Final = ("sandbox", "files", "setup")
_OURS: Final = frozenset(("variables", "turns", "expected", "checks"))


def is_sample(row: Node) -> bool:
    """Whether a row is one of Inspect's, and none of ours."""
    return isinstance(row, MapNode) and "input" in row.pairs and not row.pairs.keys() & _OURS


def case_node(row: MapNode, number: int, reader: Reader) -> Node:
    """The row as a case of ours is written, all of it standing at the row's line. Unreadable."""
    members = reader.members(row, ())
    for name in REFUSED:
        if name in members and reader.value(members[name], (name,)) not in (None, {}, []):
            raise reader.refuse(row.mark, (name,), "a sample with this is run by Inspect alone")
    for name in members.keys() - KNOWN - set(REFUSED):
        reader.warn(row.mark, (name,), "Inspect reads no such member either; it is left aside")
    case: dict[str, Any] = {"id": f"s{number}"}
    given = reader.value(members["id"], ("id",)) if "id" in members else None
    if given is not None:
        case["id"] = given if isinstance(given, str) else bytes(raw(given)).decode()
    asked = reader.value(members["input"], ("input",))
    choices = reader.value(members["choices"], ("choices",)) if "choices" in members else None
    if choices:
        if not isinstance(asked, str):
            what = "beside `choices` the `input` is a text: a prompt has to lay both out"
            raise reader.refuse(row.mark, ("input",), what)
        case["variables"] = {"input": asked, "choices": choices}
    else:
        case["turns"] = _turns(asked, row, reader)
    target = reader.value(members["target"], ("target",)) if "target" in members else None
    if target not in (None, ""):
        case["expected"] = target
    strata = _strata(members.get("metadata"), reader)
    return node_of({**case, **({"strata": strata} if strata else {})}, row.mark)


def _turns(asked: Any, row: MapNode, reader: Reader) -> list[dict[str, str]]:
    if isinstance(asked, str):
        return [{"user": asked}]
    messages = asked if isinstance(asked, list) else [asked]
    found = []
    for at, message in enumerate(messages):
        role, text = (
            (message.get("role"), _text(message.get("content")))
            if isinstance(message, dict)
            else (None, None)
        )
        if role not in ROLES or text is None or message.get("tool_calls"):
            what = f"a message is a text of one of {', '.join(ROLES)}, without calls of tools"
            raise reader.refuse(row.mark, ("input", str(at)), what)
        found.append({role: text})
    if not found:
        raise reader.refuse(row.mark, ("input",), "it asks nothing")
    return found


def _text(content: Any) -> str | None:
    """Of a text, or of parts that are all text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [part.get("text") if isinstance(part, dict) else None for part in content]
    known = [it for it in texts if isinstance(it, str)]
    return "\n".join(known) if texts and len(known) == len(texts) else None


def _strata(node: Node | None, reader: Reader) -> dict[str, str]:
    """Metadata that is no mapping is nobody's stratum."""
    said = None if node is None else reader.value(node, ("metadata",))
    if not isinstance(said, dict):
        return {}
    return {key: it if isinstance(it, str) else bytes(raw(it)).decode() for key, it in said.items()}
