"""What comes of rendering, and the words of what does not."""

import subprocess
import sys

import pytest

from tidegate.prompts.rendered import RenderRefused


@pytest.mark.parametrize(
    ("part", "line", "told"),
    [
        (None, None, "x is missing"),
        (None, 3, "x is missing"),
        ("0", None, "message 1: x is missing"),
        ("1", 3, "message 2, line 3: x is missing"),
        ("tone/2", 3, "the partial tone/2, line 3: x is missing"),
    ],
)
def test_a_refusal_tells_its_place(part: str | None, line: int | None, told: str) -> None:
    no = RenderRefused("x is missing", "caller", "x", part, line)
    assert str(no) == told
    assert (no.says, no.fault, no.variable) == ("x is missing", "caller", "x")


def test_it_is_known_without_the_engine() -> None:
    code = "import sys, tidegate.prompts.rendered; sys.exit('minijinja' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
