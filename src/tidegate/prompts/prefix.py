"""How much of a prompt is the same from one request to the next, from its beginning on.

Providers keep what requests begin with, and ask less for it. That ends at the first thing that
varies: stable text behind it is paid for in full each time.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from tidegate.core.prompt import Prompt
from tidegate.prompts.counting import Counter
from tidegate.prompts.language import Piece, Template
from tidegate.prompts.render import compile_prompt

# OpenAI's and most of Anthropic's models keep beginnings of so many tokens and more, OpenAI's in
# steps of 128: https://platform.openai.com/docs/guides/prompt-caching
LEAST_TOKENS: Final = 1024
STEP_TOKENS: Final = 128
_NANO: Final = 1_000_000_000
_NO_VARIABLES: Final = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "loop", "true", "false", "none"}
    | {"True", "False", "None"}
)
_VARYING: Final = ("if", "elif", "for", "set")


class Prefix(Struct, frozen=True):
    """`first` is what varies first (None: nothing does), in the message `turn` from 0 at `line`.

    `before` tokens stand ahead of it and `behind` are stable text after it. `saved` is what would
    be kept more of each request, were all that varies moved behind the stable text.
    """

    before: int
    behind: int
    first: str | None = None
    turn: int = 0
    line: int = 0

    @property
    def saved(self) -> int:
        return _kept(self.before + self.behind) - _kept(self.before)

    def saved_nanousd(self, in_usd_per_mtok: float, cached_usd_per_mtok: float) -> int:
        """Of each request, where the provider still has its beginning."""
        difference = max(in_usd_per_mtok - cached_usd_per_mtok, 0.0)
        return round(self.saved * difference * _NANO / 1_000_000)


def prefix_of(prompt: Prompt, counter: Counter) -> Prefix:
    """Where its stable beginning ends. RenderRefused where it cannot be rendered at all."""
    compiled = compile_prompt(prompt)
    before: list[str] = []
    behind: list[str] = []
    place: tuple[str, int, int] | None = None
    if prompt.tools is not None:
        before.append(prompt.tools)  # providers put these ahead of the messages
    for turn, template in enumerate(compiled.turns):
        for piece in _pieces(template, compiled.partials, 0):
            if piece.kind == "text":
                (before if place is None else behind).append(piece.text)
            elif place is None and (name := _varies(piece)) is not None:
                place = name, turn, piece.line
    ahead, after = counter.of("".join(before)), counter.of("".join(behind))
    if place is None:
        return Prefix(ahead, 0)
    return Prefix(ahead, after, *place)


def _pieces(template: Template, partials: Mapping[str, Template], line: int) -> Iterator[Piece]:
    for piece in template.pieces:
        at = line or piece.line  # what a partial says stands where it is included
        if piece.partial is not None:
            yield from _pieces(partials[piece.partial], partials, at)
        else:
            yield Piece(piece.kind, at, piece.text, piece.tokens)


def _varies(piece: Piece) -> str | None:
    """The first name that what is written here depends on."""
    tokens = piece.tokens
    if piece.kind == "block":
        if tokens[0].text not in _VARYING:
            return None
        tokens = tokens[1:]
        if piece.tokens[0].text in ("for", "set"):
            after = "in" if piece.tokens[0].text == "for" else "="
            tokens = tokens[next(i for i, it in enumerate(tokens) if it.text == after) + 1 :]
    before = ""
    for token in tokens:
        is_member = before in (".", "|")
        before = token.text
        if token.kind == "name" and not is_member and token.text not in _NO_VARIABLES:
            return token.text
    return None


def _kept(tokens: int) -> int:
    return 0 if tokens < LEAST_TOKENS else tokens - tokens % STEP_TOKENS
