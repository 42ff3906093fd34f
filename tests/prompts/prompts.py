"""Any prompt, for property tests."""

import string
from typing import Any

import msgspec
from hypothesis import strategies as st

from tidegate.core.prompt import Input, Output, Pin, Prompt, Turn
from tidegate.prompts.imported import whole

_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_VARIABLES = _NAMES.map(lambda it: f"v_{it}")
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
_WORDS = st.text(string.ascii_letters + " .-{}$#:'\"\\é", min_size=1, max_size=20)
_SOURCE = st.sampled_from(["Hi.", "{{ 'x' }}", "a\n\nb", "{% if 1 %}y{% endif %}", "{# c #}z"])
_SOURCES = st.builds(
    lambda a, b: a + b.strip("\n"), _SOURCE, st.sampled_from(["", " {", "é", "\t."])
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@st.composite
def inputs(draw: Any) -> tuple[Input, ...]:
    found = []
    for name in draw(st.lists(_VARIABLES, unique=True, max_size=3)):
        default = draw(st.none() | _TEXT.map(_json))
        found.append(Input(name, "string", default, draw(st.none() | _WORDS)))
    return tuple(found)


@st.composite
def prompts(draw: Any) -> Prompt:
    """With the digest that is its own."""
    turns = draw(
        st.lists(
            st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), _SOURCES),
            min_size=1,
            max_size=3,
        )
    )
    parameters = draw(st.dictionaries(st.sampled_from(["temperature", "stop", "seed"]), _JSON))
    tools = draw(st.none() | st.lists(st.just({"type": "function", "function": {"name": "f"}})))
    output = Output(
        json=draw(st.booleans()),
        json_schema=draw(st.none() | st.just('{"type":"object"}')),
        regex=draw(st.none() | st.just("^a${0}b\\d")),
        max_chars=draw(st.none() | st.integers(1, 4000)),
    )
    return whole(
        Prompt(
            draw(_NAMES),
            draw(_NAMES | st.integers(1, 99).map(lambda it: f"v{it}")),
            "",
            tuple(turns),
            draw(inputs()),
            parameters=tuple(sorted((name, _json(it)) for name, it in parameters.items())),
            tools=None if tools is None else _json(tools),
            pins=tuple(draw(st.lists(st.builds(Pin, _WORDS, st.none() | _WORDS), max_size=2))),
            output=output,
            owner=draw(st.none() | _WORDS),
            suites=tuple(draw(st.lists(_WORDS, max_size=2))),
        )
    )
