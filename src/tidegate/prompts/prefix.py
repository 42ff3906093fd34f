"""How much of a prompt is the same from one request to the next, from its beginning on.

Providers keep what requests begin with, and ask less for it. That ends at the first thing that
varies: stable text behind it is paid for in full each time.
"""

from collections.abc import Mapping
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
    parts: dict[str, _Parts] = {}
    for turn, template in enumerate(compiled.turns):
        ahead_of_it, first, behind_it = _parts(template, compiled.partials, parts)
        (before if place is None else behind).append(ahead_of_it)
        behind.append(behind_it)
        if place is None and first is not None:
            place = first[0], turn, first[1]
    ahead, after = counter.of("".join(before)), counter.of("".join(behind))
    if place is None:
        return Prefix(ahead, 0)
    return Prefix(ahead, after, *place)


# Stable text, what varies first and its line, and the stable text behind that.
_Parts = tuple[str, tuple[str, int] | None, str]


def _parts(
    template: Template, partials: Mapping[str, Template], known: dict[str, _Parts]
) -> _Parts:
    """`known` keeps those of partials: a few that include each other may come up without number."""
    before: list[str] = []
    behind: list[str] = []
    first: tuple[str, int] | None = None
    for piece in template.pieces:
        name, rest = None, ""
        text = piece.text if piece.kind == "text" else ""
        if piece.partial is not None:
            if piece.partial not in known:
                known[piece.partial] = _parts(partials[piece.partial], partials, known)
            text, inner, rest = known[piece.partial]
            name = None if inner is None else inner[0]
        elif piece.kind != "text":
            name = _varies(piece)
        (before if first is None else behind).append(text)
        behind.append(rest)
        if first is None and name is not None:
            first = name, piece.line  # what a partial says stands where it is included
    return "".join(before), first, "".join(behind)


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
