"""One file of a version, or of a partial: bytes to what they say, or to what is wrong with them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.load import mark_of
from tidegate.config.problem import Mark, Path, Problem, in_order
from tidegate.config.tree import ScalarNode, read_tree
from tidegate.config.walk import Origin, walk
from tidegate.core.compile_routes import CEILINGS, MAX_OUTPUT_TOKENS, NO_PARAMETERS, is_tokens
from tidegate.core.conversation import Role
from tidegate.core.prompt import Input, InputKind, Output, Pin, Prompt, Turn
from tidegate.core.words import nearest, quoted
from tidegate.prompts.canonical import digest_of
from tidegate.prompts.front_matter import MAX_INPUTS, FrontMatter
from tidegate.prompts.language import TemplateRefused, read_template
from tidegate.prompts.render import Renderer
from tidegate.prompts.rendered import RenderRefused
from tidegate.prompts.values import wrong_kind
from tidegate.text.json_schema import plug as json_schema

MAX_FILE_BYTES: Final = 256 * 1024
MAX_TURNS: Final = 100
_FENCE: Final = "---"
_ROLES: Final[tuple[Role, ...]] = ("system", "user", "assistant")
# The very objects that the shape names: encoders leave a default out that is the same object, and
# a plan has the same bytes whether its prompts were read from files or from an earlier plan.
_KINDS: Final[Mapping[str, InputKind]] = {kind: kind for kind in get_args(InputKind)}
_ROLE: Final = re.compile(r"^[ \t]*\{#-?[ \t]*role:[ \t]*([^\s#]*)[ \t]*-?#\}[ \t]*$", re.MULTILINE)
_ROLE_ANYWHERE: Final = re.compile(r"\{#-?[ \t]*role[ \t]*:")
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED_VARIABLES: Final = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "for", "set", "loop", "include", "true", "false"}
    | {"none", "True", "False", "None", "self", "super", "recursive"}
)

Say = Callable[[Path, str], None]
SayAtLine = Callable[[int, str], None]
LineOf = Callable[[int], int]


class TurnText(Struct, frozen=True):
    """A message's template, and the line of the file on which it begins."""

    role: Role
    source: str
    line: int


class VersionFile(Struct, frozen=True):
    """What a version's file says. Where there are `problems`, only those are to be relied on."""

    file: str
    front: FrontMatter = FrontMatter()
    turns: tuple[TurnText, ...] = ()
    problems: tuple[Problem, ...] = ()
    origins: dict[Path, Origin] = {}

    @property
    def partials(self) -> tuple[str, ...]:
        """What its templates include, `NAME/VERSION`, each once."""
        found = (name for turn in self.turns for name in read_template(turn.source).partials)
        return tuple(dict.fromkeys(found))


def read_version(data: bytes, file: str) -> VersionFile:
    """Total: any bytes give a version, or problems that say where."""
    text = _text(data, file)
    if isinstance(text, Problem):
        return VersionFile(file, problems=(text,))
    yaml, body, body_line = _divided(text)
    if yaml is None:
        what = f"the front matter that begins here is not closed by a line {_FENCE}"
        return VersionFile(file, problems=(Problem(file, Mark(1, 1), (), what),))
    problems: list[Problem] = []
    front, origins = _front(yaml, file, problems)
    turns = _turns(body, body_line, file, problems)
    return VersionFile(file, front, turns, tuple(in_order(problems)), origins)


def read_partial(data: bytes, file: str) -> tuple[str, tuple[Problem, ...]]:
    """The template of a partial: text alone, without front matter and roles."""
    text = _text(data, file)
    if isinstance(text, Problem):
        return "", (text,)
    what = None
    role = _ROLE_ANYWHERE.search(text)
    if text.startswith(f"{_FENCE}\n"):
        what = "a partial has no front matter: what includes it declares its variables"
    elif role is not None:
        what = "a partial is a part of a message, and begins none"
    if what is not None:
        line = text.count("\n", 0, role.start()) + 1 if role else 1
        return "", (Problem(file, Mark(line, 1), (), what),)
    source = text.strip("\n")
    lines_before = len(text) - len(text.lstrip("\n"))
    try:
        read_template(source)
    except TemplateRefused as no:
        return "", (Problem(file, Mark(no.line + lines_before, 1), (), str(no)),)
    return source, ()


def build(name: str, version: str, read: VersionFile, partials: Mapping[str, str]) -> Prompt:
    """The prompt that a file without problems says, with the sources of all that it includes."""
    front = read.front
    prompt = Prompt(
        name,
        version,
        "",
        tuple(Turn(it.role, it.source) for it in read.turns),
        tuple(
            Input(name, _KINDS[it.type], it.default, it.description)
            for name, it in front.inputs.items()
        ),
        tuple(sorted(partials.items())),
        tuple(sorted((name, value or "null") for name, value in front.parameters.items())),
        front.tools,
        tuple(Pin(it.model, it.snapshot) for it in front.models),
        Output(**{name: getattr(front.output, name) for name in Output.__struct_fields__}),
        front.owner,
        front.suites,
    )
    return replace(prompt, digest=digest_of(prompt))


def wrong_with(prompt: Prompt, read: VersionFile) -> tuple[Problem, ...]:
    """What keeps it from being rendered at all, with the place in its file."""
    try:
        Renderer(prompt)
    except RenderRefused as no:
        part = no.part or ""
        if part.isdigit():
            line = read.turns[int(part)].line + (no.line or 1) - 1
            return (Problem(read.file, Mark(line, 1), (), no.says),)
        return (Problem(read.file, Mark(1, 1), (), str(no)),)
    return ()


def _text(data: bytes, file: str) -> str | Problem:
    if len(data) > MAX_FILE_BYTES:
        what = f"the file has {len(data):,} bytes; one of a prompt has at most {MAX_FILE_BYTES:,}"
        return Problem(file, Mark(1, 1), (), what)
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(file, Mark(line, 1), (), "this line is not UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _divided(text: str) -> tuple[str | None, str, int]:
    """The front matter (None: it has no end), the body, and the line on which the body begins."""
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        return "", text, 1
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            # As many lines before it as there are in the file, so that its places are the file's.
            return "\n" + "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2
    return None, "", 1


def _front(yaml: str, file: str, problems: list[Problem]) -> tuple[FrontMatter, dict[Path, Origin]]:
    root, found = read_tree(yaml.encode(), file)
    problems += found
    if root is None or (isinstance(root, ScalarNode) and root.kind == "nothing"):
        return FrontMatter(), {}
    walked = walk(root, FrontMatter, file, {}, ".")
    problems += walked.problems
    front: FrontMatter = walked.value

    def say(path: Path, message: str) -> None:
        if not any(spoiled[: len(path)] == path for spoiled in walked.spoiled):
            problems.append(Problem(file, mark_of(walked.origins, path), path, message))

    if not walked.problems:
        _check_front(front, say)
    return front, walked.origins


def _check_front(front: FrontMatter, say: Say) -> None:
    if len(front.inputs) > MAX_INPUTS:
        say(("inputs",), f"a prompt has at most {MAX_INPUTS}")
    for name, declared in front.inputs.items():
        at = ("inputs", name)
        if not _VARIABLE.fullmatch(name) or name in RESERVED_VARIABLES:
            say(at, "a variable is called by letters, digits and `_`, and by no word of templates")
        if declared.default not in (None, "null"):
            one = Input(name, declared.type)
            wrong = wrong_kind(one, msgspec.json.decode(declared.default or ""))
            if wrong is not None:
                say((*at, "default"), f"the default {wrong}")
    for name, value in front.parameters.items():
        if name in NO_PARAMETERS:
            say(("parameters", name), "that is no parameter of the model's")
        elif name in CEILINGS and not is_tokens((value or "").encode()):
            what = f"it must be a whole number of tokens, up to {MAX_OUTPUT_TOKENS}"
            say(("parameters", name), what)
    if front.tools is not None and not _is_tools(front.tools):
        say(("tools",), "write a list of tools as in OpenAI's chat completions")
    output = front.output
    if output.json_schema is not None:
        _tell(json_schema.wrong_schema(output.json_schema), ("output", "json_schema"), say)
    if output.regex is not None:
        _tell(json_schema.wrong_regex(output.regex), ("output", "regex"), say)


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class _Tool(Struct):
    type: str
    function: _Function | None = None


_tools: Final = msgspec.json.Decoder(list[_Tool]).decode


def _is_tools(text: str) -> bool:
    try:
        found = _tools(text)
    except msgspec.DecodeError:
        return False
    return all(it.type != "function" or it.function is not None for it in found)


def _tell(wrong: str | None, path: Path, say: Say) -> None:
    if wrong is not None:
        say(path, wrong)


def _turns(body: str, first_line: int, file: str, problems: list[Problem]) -> tuple[TurnText, ...]:
    def say(line: int, message: str) -> None:
        problems.append(Problem(file, Mark(line, 1), (), message))

    def line_of(at: int) -> int:
        return first_line + body.count("\n", 0, at)

    marks = list(_ROLE.finditer(body))
    alone = {body.index("{#", mark.start()) for mark in marks}
    for stray in _ROLE_ANYWHERE.finditer(body):
        if stray.start() not in alone:
            say(line_of(stray.start()), "write `{# role: user #}` on a line of its own")
    if marks and body[: marks[0].start()].strip():
        first = len(body) - len(body.lstrip())
        say(line_of(first), "this text stands before the first role: write one above it")
    if len(marks) > MAX_TURNS:
        say(line_of(marks[MAX_TURNS].start()), f"a prompt has at most {MAX_TURNS} messages")
    turns: list[TurnText] = []
    for number, mark in enumerate(marks):
        if mark[1] not in _ROLES:
            near = nearest(mark[1], _ROLES) or f"; there are {', '.join(_ROLES)}"
            say(line_of(mark.start()), f"there is no role {quoted(mark[1])}{near}")
            continue
        end = marks[number + 1].start() if number + 1 < len(marks) else len(body)
        role = next(it for it in _ROLES if it == mark[1])
        turns.append(_turn(role, body, mark.end(), end, line_of))
    if not marks:
        turns.append(_turn("system", body, 0, len(body), line_of))
    for turn in turns:
        _check_turn(turn, say)
    return tuple(turns)


def _turn(role: Role, body: str, start: int, end: int, line_of: LineOf) -> TurnText:
    text = body[start:end]
    blank = len(text) - len(text.lstrip("\n"))
    return TurnText(role, text.strip("\n"), line_of(start + blank))


def _check_turn(turn: TurnText, say: SayAtLine) -> None:
    if not turn.source.strip():
        say(turn.line, f"the {turn.role} message is empty")
        return
    try:
        read_template(turn.source)
    except TemplateRefused as no:
        say(turn.line + no.line - 1, str(no))
