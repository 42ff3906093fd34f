"""Text in which `{{name}}` is a variable and nothing else means anything, and our templates."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from tidegate.prompts.language import TemplateRefused, read_template

_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
# What would begin a tag, what may not stand in a source, and what a message's ends lose.
_UNSAFE: Final = re.compile(
    r"\{(?=[{%#\x00-\x08\x0b-\x1f\x7f]|\n*\Z)|[\x00-\x08\x0b-\x1f\x7f]|\A\n+|\n+\Z"
)
_encode: Final = msgspec.json.Encoder().encode


def names_in(text: str) -> tuple[str, ...]:
    """Its variables, each once, in order."""
    return tuple(dict.fromkeys(it[1] for it in _VARIABLE.finditer(text)))


def to_template(text: str) -> str:
    """The template that renders as such a text does with the same variables."""
    if not text:
        return '{{ "" }}'
    return "".join(_parts(text))


def to_mustache(source: str) -> str | None:
    """The text of a template that says nothing more; None for every other one."""
    try:
        pieces = read_template(source).pieces
    except TemplateRefused:
        return None
    found: list[str] = []
    for piece in pieces:
        if piece.kind == "text":
            found.append(piece.text)
        elif piece.kind == "output" and len(piece.tokens) == 1:
            token = piece.tokens[0]
            if token.kind == "name":
                found.append(f"{{{{{token.text}}}}}")
            elif token.kind == "text" and token.text.startswith('"'):
                found.append(_literal(token.text))
            else:
                return None
        else:
            return None
    text = "".join(found)
    return text if to_template(text) == source else None


def _parts(text: str) -> Iterator[str]:
    at = 0
    for variable in _VARIABLE.finditer(text):
        yield _escaped(text[at : variable.start()], at == 0, False)
        yield f"{{{{ {variable[1]} }}}}"
        at = variable.end()
    yield _escaped(text[at:], at == 0, True)


def _escaped(text: str, is_first: bool, is_last: bool) -> str:
    def tag(found: re.Match[str]) -> str:
        inside = found[0].startswith("\n") and not (
            (is_first and found.start() == 0) or (is_last and found.end() == len(text))
        )
        is_plain_brace = found[0] == "{" and is_last and found.end() == len(text)
        return found[0] if inside or is_plain_brace else f"{{{{ {_quoted(found[0])} }}}}"

    return _UNSAFE.sub(tag, text)


def _quoted(text: str) -> str:
    return _encode(text).decode().replace("\x7f", "\\u007f")


def _literal(text: str) -> str:
    try:
        return str(msgspec.json.decode(text))
    except msgspec.DecodeError:
        return ""
