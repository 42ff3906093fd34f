"""What control needs of whatever looks at live answers beside it, so that either can run without
the other.

The two are rooms of different layers: whoever starts the process puts them together.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Engine

from tidegate.core.declared import Declared
from tidegate.core.layout import Layout
from tidegate.prompts.reading import Reading


class Given(Struct, frozen=True):
    """What that work may use of control, from any thread. `declared` is the plan file in force (its
    defaults while none was ever good), `digest` that of a new key with the version of the pepper
    that it is made under, `prompts` what is read of the repository of prompts, `plan_folder` where
    the plan file lies."""

    layout: Layout
    engine: Engine
    declared: Callable[[], Declared]
    leads: Callable[[], bool]
    digest: Callable[[str], tuple[bytes, int]]
    prompts: Reading
    plan_folder: Path


class Online(Protocol):
    """Work on live answers inside control's process. `start` comes once."""

    def start(self, given: Given) -> None: ...

    def render(self) -> bytes:
        """Its series in Prometheus' text form."""

    def stop(self) -> None:
        """End it. Blocking."""


class NoOnline:
    """Where nobody looks at live answers."""

    def start(self, given: Given) -> None:
        pass

    def render(self) -> bytes:
        return b""

    def stop(self) -> None:
        pass
