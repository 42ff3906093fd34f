"""Control where nobody looks at live answers."""

from pathlib import Path

from sqlalchemy import Engine

from tidegate.control.online import Given, NoOnline
from tidegate.core.declared import Declared
from tidegate.core.layout import Layout
from tidegate.prompts.reading import Reading


def test_it_does_nothing_and_shows_nothing(layout: Layout, engine: Engine) -> None:
    none = NoOnline()
    given = Given(layout, engine, Declared, lambda: True, lambda key: (b"", 1), Reading(), Path())
    none.start(given)
    assert none.render() == b""
    none.stop()
