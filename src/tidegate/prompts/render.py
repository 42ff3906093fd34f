"""A prompt and its caller's variables to the messages that a model is asked.

`Renderer` is made once for a version and used many times, in any thread: renderings of one version
wait for each other. Of what it is given nothing is obeyed: values are text and data, and roles come
from the prompt alone. What one rendering may cost is bounded: `MAX_CHARS` in all, so many steps of
the engine as its largest text allows, and what filters go over (`filters.py`). What a template may
say is in `language.py`.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import msgspec
from minijinja import Environment, TemplateError
from msgspec import Raw, Struct

from tidegate.core.prompt import Prompt
from tidegate.core.words import nearest, quoted
from tidegate.prompts.filters import FilterRefused, Spent, counted
from tidegate.prompts.language import DELIMITERS, Template, TemplateRefused, read_template
from tidegate.prompts.rendered import Message, RenderRefused
from tidegate.prompts.values import Inert, inert, json_text, wrong_kind

MAX_CHARS: Final = 1024 * 1024
MAX_VARIABLES_BYTES: Final = 1024 * 1024
MAX_STEPS: Final = 50_000
LEAST_STEPS: Final = 500
# A step may compare or search through the largest value, or write the largest text of a loop.
_SEARCHED_CHARS: Final = 1 << 30
_WRITTEN_CHARS: Final = 16 << 20
_GLOBALS: Final = ("range", "dict", "debug", "namespace")
_OPTIONS: Final[Mapping[str, Any]] = {
    "undefined_behavior": "strict",
    "auto_escape_callback": lambda _name: False,
    "debug": False,
    "pycompat": False,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
_decode: Final = msgspec.json.Decoder().decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Compiled(Struct, frozen=True):
    """A prompt's templates, checked: each turn's, and those of its partials by `NAME/VERSION`."""

    turns: tuple[Template, ...]
    partials: Mapping[str, Template]


class Renderer:
    """One version of a prompt, ready. RenderRefused (`prompt`) where it cannot be rendered."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.used: set[str] = set()  # the inputs that its templates name
        self._spent = Spent()
        self._turn = threading.Lock()  # the engine's fuel and what was spent are one rendering's
        compiled = compile_prompt(prompt)
        self._steps = _steps(compiled)
        self._sources = {str(n): it.engine for n, it in enumerate(compiled.turns)}
        self._sources |= {name: it.engine for name, it in compiled.partials.items()}
        self._environment = self._made(compiled)
        self._roles = [(str(number), turn.role) for number, turn in enumerate(prompt.turns)]
        self._inputs = {it.name: it for it in prompt.inputs}
        self._defaults = {
            it.name: inert(_decode(it.default)) for it in prompt.inputs if it.default is not None
        }
        self._required = [it.name for it in prompt.inputs if it.default is None]

    def render(self, variables: Mapping[str, Raw]) -> tuple[Message, ...]:
        """The messages. A message that comes out blank is left out. RenderRefused."""
        size = 0
        values = dict(self._defaults)
        for name, raw in variables.items():
            size += memoryview(raw).nbytes
            if size > MAX_VARIABLES_BYTES:
                what = f"the variables have more than {MAX_VARIABLES_BYTES:,} bytes"
                raise RenderRefused(what, "caller", name)
            values[name] = inert(self._read(name, raw))
        for name in self._required:
            if name not in values:
                raise RenderRefused(f"the variable {quoted(name)} is missing", "caller", name)
        steps = min(self._steps, max(_SEARCHED_CHARS // (size + 1), LEAST_STEPS))
        with self._turn:
            if self._environment.fuel != steps:
                self._environment.fuel = steps
            self._spent.chars = self._spent.work = 0
            messages = [Message(role, self._text(name, values)) for name, role in self._roles]
        if sum(len(it.text) for it in messages) > MAX_CHARS:
            _too_long()
        found = tuple(it for it in messages if it.text and not it.text.isspace())
        if not found:
            raise RenderRefused("with these variables every message is empty", "caller")
        return found

    def _text(self, name: str, values: Mapping[str, Any]) -> str:
        try:
            return self._environment.render_template(name, **values)
        except FilterRefused as no:
            raise RenderRefused(str(no), "caller", None, name) from None
        except TemplateError as error:
            raise self._refused(error) from None

    def _read(self, name: str, raw: Raw) -> Any:
        declared = self._inputs.get(name)
        if declared is None:
            near = nearest(name, self._inputs)
            known = near or f"; it has {', '.join(self._inputs) or 'none'}"
            what = f"this prompt has no variable {quoted(name)}{known}"
            raise RenderRefused(what, "caller", name)
        try:
            value = _decode(raw)
        except _UNREADABLE:
            what = f"the variable {quoted(name)} is not JSON"
            raise RenderRefused(what, "caller", name) from None
        wrong = wrong_kind(declared, value)
        if wrong is not None:
            raise RenderRefused(f"the variable {quoted(name)} {wrong}", "caller", name)
        return value

    def _refused(self, error: TemplateError) -> RenderRefused:
        what = _plainly(error)
        if error.kind == "OutOfFuel":
            what = "it takes too many steps with variables of this size"
        elif error.kind == "UndefinedError":
            what = f"{self._undefined(error)} is not there"
        return RenderRefused(what, "caller", None, error.name, error.line)

    def _undefined(self, error: TemplateError) -> str:
        """The words of the template that came to nothing."""
        source = self._sources.get(error.name or "")
        if source is None or error.range is None:
            return "a value"
        start, end = error.range
        return quoted(source.encode()[start:end].decode("utf-8", "replace"))

    def _made(self, compiled: Compiled) -> Environment:
        used = {
            name for it in (*compiled.turns, *compiled.partials.values()) for name in it.filters
        }
        options: dict[str, Any] = {
            "filters": {name: counted(name, self._spent) for name in used},
            "fuel": self._steps,
            "finalizer": _shower(self._spent),
            **_OPTIONS,
            **DELIMITERS,
        }
        environment: Environment = Environment(**options)
        for name in _GLOBALS:
            environment.remove_global(name)
        try:
            for name, template in compiled.partials.items():
                environment.add_template(name, template.engine)
            for number, template in enumerate(compiled.turns):
                environment.add_template(str(number), template.engine)
        except TemplateError as error:
            what = _plainly(error)
            raise RenderRefused(what, "prompt", None, error.name, error.line) from None
        self._check_names(environment, compiled)
        return environment

    def _check_names(self, environment: Environment, compiled: Compiled) -> None:
        """Notes which inputs are used; RenderRefused for a name that is none."""
        known = {it.name for it in self.prompt.inputs}
        free: dict[str, set[str]] = {}
        for number in range(len(compiled.turns)):
            names = _free(environment, compiled, str(number), free)
            self.used |= names
            for name in sorted(names - known):
                what = f"{quoted(name)} is no input of the prompt{nearest(name, known)}"
                raise RenderRefused(what, "prompt", name, str(number))


def _shower(spent: Spent) -> Callable[[Any], Any]:
    """What {{ }} writes of a value: nothing of none, JSON of objects and lists. It has no hold of
    the renderer: the collector cannot look into the engine, and would never free a circle."""

    def shown(value: Any) -> Any:
        if value is None:
            return ""
        kind = type(value)
        if isinstance(value, Inert) or kind is list or kind is dict:
            value = json_text(value)
            kind = str
        if kind is str:
            spent.chars += len(value)
            if spent.chars > MAX_CHARS:
                _too_long()
        return value

    return shown


def compile_prompt(prompt: Prompt) -> Compiled:
    """Its templates, each held to the limits of the language. RenderRefused (`prompt`)."""
    partials = dict(prompt.partials)
    if not prompt.turns:
        raise RenderRefused("the prompt has no message", "prompt")
    named = {str(number): turn.source for number, turn in enumerate(prompt.turns)}
    read: dict[str, Template] = {}
    for name, source in {**named, **partials}.items():
        try:
            read[name] = read_template(source)
        except TemplateRefused as no:
            raise RenderRefused(str(no), "prompt", None, name, no.line) from None
    for name, template in read.items():
        for wanted in template.partials:
            if wanted not in partials:
                raise RenderRefused(f"there is no partial {wanted}", "prompt", None, name)
    turns = tuple(read[name] for name in named)
    return Compiled(turns, {name: read[name] for name in partials})


def _free(made: Environment, of: Compiled, name: str, known: dict[str, set[str]]) -> set[str]:
    """Names that a template, or what it includes, takes from outside of it; `known` keeps them."""
    if name not in known:
        template = of.turns[int(name)] if name.isdigit() else of.partials[name]
        names: set[str] = made.undeclared_variables_in_template(name)
        for partial in template.partials:
            names |= _free(made, of, partial, known) - template.bound
        known[name] = names
    return known[name]


def _steps(compiled: Compiled) -> int:
    """How many steps the engine may take, so that the text of loops stays within bounds.
    RenderRefused where the text alone is too long, or partials include each other in a circle."""
    whole: dict[str, int] = {}

    def chars(template: Template, way: tuple[str, ...]) -> int:
        """Of its text, with that of what it includes, each written once."""
        total = sum(len(it.text) for it in template.pieces)
        for name in (it.partial for it in template.pieces if it.partial):
            if name in way:
                circle = " -> ".join((*way[way.index(name) :], name))
                raise RenderRefused(f"partials include each other in a circle: {circle}", "prompt")
            if name not in whole:
                whole[name] = chars(compiled.partials[name], (*way, name))
            total += whole[name]
        return min(total, 1 << 40)

    if sum(chars(it, ()) for it in compiled.turns) > MAX_CHARS:
        raise RenderRefused(f"its text alone is over {MAX_CHARS:,} characters", "prompt")
    looped = 0
    for template in (*compiled.turns, *compiled.partials.values()):
        for piece in template.pieces:
            if piece.loops:
                looped = max(looped, whole[piece.partial] if piece.partial else len(piece.text))
    return max(min(MAX_STEPS, _WRITTEN_CHARS // (looped + 1)), LEAST_STEPS)


def _plainly(error: TemplateError) -> str:
    """The engine's words without its place."""
    told = str(error).partition(" (in ")[0].partition("\n")[0]
    return "".join(it if it.isprintable() else "?" for it in told)


def _too_long() -> NoReturn:
    raise RenderRefused(f"it comes out longer than {MAX_CHARS:,} characters", "caller")


plug = Renderer
