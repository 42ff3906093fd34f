"""promptfoo's templates, and the products of its variables."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import minijinja
import msgspec

FUEL: Final = 50_000
MAX_CHARS: Final = 1_000_000
_SIGNS: Final = ("{{", "{%", "{#")
_END_RAW: Final = re.compile(r"\{%-?\s*endraw")
_RAW: Final = r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}"
_TAG: Final = re.compile(_RAW + r"|\{#.*?#\}|\{%.*?%\}|\{\{-?(?P<value>.*?)-?\}\}", re.DOTALL)
_IS_RAW: Final = re.compile(_RAW + r"|\{#.*#\}", re.DOTALL)
_VALUE: Final = re.compile(
    r"\s*[A-Za-z_]\w*(?:\.\w+|\[\s*(?:\d+|'[^'\\]*'|\"[^\"\\]*\")\s*\])*"
    r"(?:\s*\|\s*(?:upper|lower|trim|title|capitalize|safe|string|length|tojson|dump|first|last))*\s*"
)


class NotFilled(Exception):
    """A template that cannot be filled in; the message says why."""


def new_environment() -> minijinja.Environment:
    """Strict: a variable that is not there is no empty text."""
    environment = minijinja.Environment(
        undefined_behavior="strict", fuel=FUEL, auto_escape_callback=lambda _: False
    )
    environment.keep_trailing_newline = True
    environment.add_filter("dump", lambda value: msgspec.json.encode(value).decode())
    return environment


def fill(environment: minijinja.Environment, text: str, variables: Mapping[str, Any]) -> str:
    """A text with its `{{ variables }}`. NotFilled where one is missing, or more is asked than
    values: of a line that repeats something a gigabyte could be made."""
    if not any(sign in text for sign in _SIGNS):
        return text
    for tag in _TAG.finditer(text):
        if not _IS_RAW.fullmatch(tag[0]) and not _VALUE.fullmatch(tag["value"] or ""):
            raise NotFilled("only values such as {{ name }} are filled in, with simple filters")
    try:
        filled: str = environment.render_str(text, "value", **dict(variables))
    except (minijinja.TemplateError, RecursionError, TypeError, ValueError) as error:
        raise NotFilled(f"the template cannot be filled in: {_first(error)}") from None
    if len(filled) > MAX_CHARS:
        raise NotFilled(f"filled in it has more than {MAX_CHARS} characters")
    return filled


def _first(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].replace(" (in value:1)", "")


def fill_all(environment: minijinja.Environment, value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with every text in it filled in."""
    if isinstance(value, str):
        return fill(environment, value, variables)
    if isinstance(value, list):
        return [fill_all(environment, item, variables) for item in value]
    if isinstance(value, dict):
        return {name: fill_all(environment, it, variables) for name, it in value.items()}
    return value


def quoted_text(text: str) -> str | None:
    """`text` as a template that is filled in as it; None where there is none."""
    if not any(sign in text for sign in _SIGNS):
        return text
    return None if _END_RAW.search(text) else f"{{% raw %}}{text}{{% endraw %}}"


def products(variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One set of variables for each choice from the lists of texts among them, the first variable
    changing fastest. A list that begins with anything else is a value."""
    names = list(variables)
    choices = [
        value if isinstance(value, list) and value and isinstance(value[0], str) else [value]
        for value in variables.values()
    ]
    for chosen in product(*reversed(choices)):
        yield dict(zip(names, reversed(chosen), strict=True))


def product_count(variables: Mapping[str, Any]) -> int:
    """How many sets there are, without making them."""
    count = 1
    for value in variables.values():
        if isinstance(value, list) and value and isinstance(value[0], str):
            count *= len(value)
    return count
