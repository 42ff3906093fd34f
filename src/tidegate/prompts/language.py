"""What a template may say: less than Jinja, so that what it costs is bounded by what it is.

A template is cut into tags and the text between them here, and every tag is held to the lists of
`expressions.py`. What comes out is written again with delimiters that no source may hold, so that
the engine sees exactly the tags that were checked. The reasons of the limits:

- Nothing makes a value larger than what it is made of: no `~`, no `*`, `+` only beside a number,
  no captured blocks, no macros, and lists that are written out are not given a name. So no chain of
  names doubles its way to gigabytes. Filters are ours (`filters.py`), each with a ceiling.
- Nothing is called, so that no method of any object is reached.
- A tag has few tokens, and a template few `elif`: long chains of either overflow the engine's
  stack, which is no error but the end of the process.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.words import quoted
from tidegate.prompts.expressions import (
    CLOSING,
    OPENING,
    Token,
    bound_by,
    check_block,
    check_expression,
)

MAX_TAG_TOKENS: Final = 200
MAX_TAGS: Final = 5_000
MAX_BLOCKS_DEEP: Final = 24
MAX_ELIFS: Final = 100
MAX_BRACKETS_DEEP: Final = 8
MAX_KEPT: Final = 32
# In place of {{ }}, {% %} and {# #} before the engine.
DELIMITERS: Final = {
    "variable_start_string": "\x01{",
    "variable_end_string": "\x02}",
    "block_start_string": "\x01%",
    "block_end_string": "\x02%",
    "comment_start_string": "\x01#",
    "comment_end_string": "\x02#",
}
_OPEN: Final = re.compile(r"\{[{%#]")
_RAW: Final = re.compile(r"\{%([-+]?)\s*raw\s*([-+]?)%\}")
_END_RAW: Final = re.compile(r"\{%([-+]?)\s*endraw\s*([-+]?)%\}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TOKEN: Final = re.compile(
    r"""(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]{1,18}(?:\.[0-9]{1,18})?(?![A-Za-z0-9_]))
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<sign>==|!=|<=|>=|//|\*\*|[-+*/%~<>=()\[\]{},.:|])
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE: Final = re.compile(r"\s*")


class TemplateRefused(Exception):
    """What is wrong with a template; `line` counts from 1 in what was given."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Piece(Struct, frozen=True):
    """A part of a template: `text` between tags, or a tag's tokens. `loops` counts the loops
    around it. `partial` is what an include names."""

    kind: Literal["text", "output", "block"]
    line: int
    text: str = ""
    tokens: tuple[Token, ...] = ()
    loops: int = 0
    partial: str | None = None


class Template(Struct, frozen=True):
    """A template that keeps to the limits.

    `engine` is its source for the engine; `canonical` as it was written, with its comments empty.
    """

    engine: str
    canonical: str
    pieces: tuple[Piece, ...]

    @property
    def partials(self) -> tuple[str, ...]:
        """What it includes, `NAME/VERSION`, each once, in order."""
        return tuple(dict.fromkeys(it.partial for it in self.pieces if it.partial))

    @property
    def filters(self) -> frozenset[str]:
        """The filters that it uses."""
        pairs = (pair for it in self.pieces if it.tokens for pair in pairwise(it.tokens))
        return frozenset(name.text for sign, name in pairs if sign.text == "|")

    @property
    def bound(self) -> frozenset[str]:
        """Names that it gives values itself."""
        blocks = (it for it in self.pieces if it.kind == "block")
        return frozenset(name for it in blocks for name in bound_by(it.tokens))


@lru_cache(maxsize=MAX_KEPT)
def read_template(source: str) -> Template:
    """`source` cut up and held to the limits. TemplateRefused. What the engine's own grammar says
    of it is left to the engine. The last few are kept: a version's text is asked for by each who
    looks at it, one after another, and its partials by many versions."""
    control = _CONTROL.search(source)
    if control is not None:
        raise TemplateRefused(_line(source, control.start()), "it holds a control character")
    cut = _Cut(source)
    cut.run()
    return Template("".join(cut.engine), "".join(cut.canonical), tuple(cut.pieces))


class _Cut:
    """One pass over a source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.engine: list[str] = []
        self.canonical: list[str] = []
        self.pieces: list[Piece] = []
        self._blocks: list[str] = []
        self._tags = 0
        self._elifs = 0

    def run(self) -> None:
        at = 0
        while (found := _OPEN.search(self.source, at)) is not None:
            start = found.start()
            self._text(at, start)
            raw = _RAW.match(self.source, start)
            if raw is not None:
                at = self._raw(raw)
            elif found[0] == "{#":
                at = self._comment(start)
            else:
                at = self._tag(start)
            self._tags += 1
            if self._tags > MAX_TAGS:
                raise self._no(start, f"it has more than {MAX_TAGS} tags")
        self._text(at, len(self.source))

    def _no(self, at: int, message: str) -> TemplateRefused:
        return TemplateRefused(_line(self.source, at), message)

    def _text(self, start: int, end: int) -> None:
        if start < end:
            text = self.source[start:end]
            self.engine.append(text)
            self.canonical.append(text)
            loops = self._blocks.count("for")
            self.pieces.append(Piece("text", _line(self.source, start), text, loops=loops))

    def _raw(self, opened: re.Match[str]) -> int:
        closed = _END_RAW.search(self.source, opened.end())
        if closed is None:
            raise self._no(opened.start(), "`raw` is not closed by {% endraw %}")
        self.engine.append(f"\x01%{opened[1]} raw {opened[2]}\x02%")
        self.canonical.append(opened[0])
        self._text(opened.end(), closed.start())
        self.engine.append(f"\x01%{closed[1]} endraw {closed[2]}\x02%")
        self.canonical.append(closed[0])
        return closed.end()

    def _comment(self, start: int) -> int:
        end = self.source.find("#}", start + 2)
        if end < 0:
            raise self._no(start, "this comment is not closed by #}")
        inner = self.source[start + 2 : end]
        first = inner[:1] if inner[:1] in ("-", "+") else ""
        last = inner[-1:] if inner[-1:] in ("-", "+") and len(inner) > len(first) else ""
        # Its lines stay, so that what the engine says of a line is true of the source.
        self.engine.append(f"\x01#{first}" + "\n" * inner.count("\n") + f"{last}\x02#")
        self.canonical.append(f"{{#{first}{last}#}}")
        return end + 2

    def _tag(self, start: int) -> int:
        is_block = self.source[start + 1] == "%"
        close = "%}" if is_block else "}}"
        inner_start = start + 2 + (self.source[start + 2 : start + 3] in ("-", "+"))
        tokens: list[Token] = []
        at, deep = inner_start, 0
        while True:
            space = _SPACE.match(self.source, at)
            at = space.end() if space else at
            sign = self.source[at] if self.source[at : at + 1] in ("-", "+") else ""
            if deep == 0 and self.source.startswith(sign + close, at):
                break
            found = _TOKEN.match(self.source, at)
            if found is None:
                raise self._no(start, self._unread(at, close))
            tokens.append(Token(str(found.lastgroup), found[0]))
            deep += (found[0] in OPENING) - (found[0] in CLOSING)
            if deep > MAX_BRACKETS_DEEP or len(tokens) > MAX_TAG_TOKENS:
                raise self._no(start, "this tag is too long or too deep: divide it")
            at = found.end()
        kind = self.source[start + 1]
        inner = self.source[start + 2 : at]
        # The line break after an include is the text's own: a partial has none at its end.
        kept = "+" if is_block and not sign and tokens and tokens[0].text == "include" else sign
        self.engine.append(f"\x01{kind}{inner}{kept}\x02{close[0]}")
        end = at + len(sign) + 2
        self.canonical.append(self.source[start:end])
        self._keep(start, is_block, tuple(tokens))
        return end

    def _unread(self, at: int, close: str) -> str:
        rest = self.source[at : at + 12]
        if not rest:
            return f"this tag is not closed by {close}"
        return f"{quoted(rest)} cannot stand in a tag"

    def _keep(self, start: int, is_block: bool, tokens: tuple[Token, ...]) -> None:
        line = _line(self.source, start)
        if not tokens:
            raise TemplateRefused(line, "this tag is empty")
        partial = None
        word = tokens[0].text if is_block else ""
        try:
            if is_block:
                partial = check_block(tokens)
            else:
                check_expression(tokens)
        except ValueError as error:
            raise TemplateRefused(line, str(error)) from None
        if word in ("endif", "endfor") and self._blocks:
            self._blocks.pop()
        loops = self._blocks.count("for")
        kind: Literal["output", "block"] = "block" if is_block else "output"
        self.pieces.append(Piece(kind, line, "", tokens, loops, partial))
        self._elifs += word == "elif"
        if self._elifs > MAX_ELIFS:
            raise TemplateRefused(line, f"it has more than {MAX_ELIFS} `elif`: divide it")
        if word in ("if", "for"):
            self._blocks.append(word)
            if len(self._blocks) > MAX_BLOCKS_DEEP:
                raise TemplateRefused(line, f"blocks lie deeper than {MAX_BLOCKS_DEEP}")


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1
