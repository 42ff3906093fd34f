"""What may stand in one tag of a template: the blocks, names, filters and tests that there are.

Why it is no more than this is told in `language.py`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from tidegate.core.words import nearest
from tidegate.prompts.filters import FILTERS

TESTS: Final = frozenset(
    {"defined", "undefined", "none", "string", "number", "boolean", "sequence", "mapping"}
    | {"odd", "even"}
)
_BLOCKS: Final = ("if", "elif", "else", "endif", "for", "endfor", "set", "include", "raw", "endraw")
_PARTIAL: Final = re.compile(r"""(['"])([^'"\\/]+/[^'"\\/]+)\1""")
_WORDS: Final = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_CONSTANTS: Final = frozenset({"true", "false", "none", "True", "False", "None"})
OPENING: Final = frozenset("([{")
CLOSING: Final = frozenset(")]}")
_REFUSED: Final = {
    "~": "write {{ a }}{{ b }} in place of {{ a ~ b }}",
    "*": "there is no `*` here",
    "**": "there is no `**` here",
}


class Token(Struct, frozen=True, gc=False):
    """`kind` is name, number, text (with its quotes) or sign."""

    kind: str
    text: str


def check_block(tokens: Sequence[Token]) -> str | None:
    """The partial that an include names. ValueError for what may not stand in a block's tag."""
    word, rest = tokens[0].text, tokens[1:]
    if word not in _BLOCKS:
        near = nearest(word, _BLOCKS) or f"; there are {', '.join(_BLOCKS)}"
        raise ValueError(f"there is no `{word}` here{near}")
    if word == "include":
        found = _PARTIAL.fullmatch(rest[0].text) if len(rest) == 1 else None
        if found is None:
            raise ValueError('write {% include "NAME/VERSION" %}: a partial, and which of it')
        return found[2]
    if word == "set":
        if len(rest) < 3 or rest[0].kind != "name" or rest[1].text != "=":
            raise ValueError("write {% set NAME = VALUE %}")
        _check_named(rest[2:])
        _check_names(rest[:1])
        rest = rest[2:]
    elif word == "for":
        names, source = _parts_of_for(rest)
        _check_names(names)
        _check_named(source)
        rest = source
    check_expression(rest)
    return None


def _parts_of_for(rest: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    at = next((i for i, it in enumerate(rest) if it.text == "in"), -1)
    names = rest[: max(at, 0)]
    if not names or any(it.kind != "name" and it.text != "," for it in names):
        raise ValueError("write {% for NAME in VALUES %}")
    if rest[-1].text == "recursive":
        raise ValueError("a loop that calls itself is not to be had here")
    return names, rest[at + 1 :]


def bound_by(block: Sequence[Token]) -> Iterator[str]:
    """The names that a block which was checked gives values."""
    if block[0].text == "set":
        yield block[1].text
    elif block[0].text == "for":
        names, _ = _parts_of_for(block[1:])
        yield from (it.text for it in names if it.kind == "name")
        yield "loop"


def _check_names(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.kind == "name" and token.text.startswith("_"):
            raise ValueError("names that begin with `_` are not to be had here")


def _check_named(tokens: Sequence[Token]) -> None:
    """What is given a name holds no list or mapping that is written out around other names."""
    deep = 0
    for before, token in zip((None, *tokens), tokens, strict=False):
        if token.text in OPENING and token.kind == "sign":
            deep += token.text == "{" or (token.text == "[" and not _is_operand(before)) or deep > 0
        elif token.text in CLOSING and token.kind == "sign":
            deep = max(deep - 1, 0)
        elif token.text == "," and not deep and not _within_call(tokens, token):
            raise ValueError("what is given a name here is one value")
        elif deep and token.kind == "name" and token.text not in _CONSTANTS:
            raise ValueError("a list that is given a name holds texts and numbers only")


def _within_call(tokens: Sequence[Token], comma: Token) -> bool:
    """Whether this comma divides the arguments of a filter."""
    open_calls = 0
    for number, token in enumerate(tokens):
        if token is comma:
            return open_calls > 0
        if token.text == "(":
            before = tokens[number - 2].text if number > 1 else ""
            open_calls += before == "|" or open_calls > 0
        elif token.text == ")":
            open_calls = max(open_calls - 1, 0)
    return False


def _is_operand(token: Token | None) -> bool:
    """Whether an expression could end with this token."""
    if token is None:
        return False
    if token.kind == "name":
        return token.text not in _WORDS
    return token.kind in ("number", "text") or token.text in CLOSING


def check_expression(tokens: Sequence[Token]) -> None:
    """ValueError for what may not stand in an expression."""
    _check_names(tokens)
    nothing = Token("sign", "")
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else nothing
        after = tokens[number + 1] if number + 1 < len(tokens) else nothing
        if token.kind == "sign":
            _check_sign(token.text, before, after)
        if token.text == "(" and token.kind == "sign" and _is_operand(before):
            earlier = [it.text for it in tokens[max(number - 3, 0) : number - 1]]
            is_filter = earlier[-1:] == ["|"] and before.kind == "name"
            if not is_filter:
                raise ValueError("nothing is called here, but filters after `|`")
        if before.text == "|" and before.kind == "sign" and token.text not in FILTERS:
            near = nearest(token.text, FILTERS) or f"; there are {', '.join(sorted(FILTERS))}"
            raise ValueError(f"there is no filter `{token.text}` here{near}")
        if before.text == "is" and before.kind == "name":
            named = after if token.text == "not" else token
            if named.text not in TESTS:
                near = f"; there are {', '.join(sorted(TESTS))}"
                raise ValueError(f"there is no test `{named.text}` here{near}")


def _check_sign(sign: str, before: Token, after: Token) -> None:
    if sign in _REFUSED:
        raise ValueError(_REFUSED[sign])
    if sign == "." and after.kind != "name":
        raise ValueError("after a point stands a name; write items[0] for the first of items")
    if sign == "+" and "number" not in (before.kind, after.kind):
        raise ValueError("`+` adds a number that is written out; write {{ a }}{{ b }} for texts")
