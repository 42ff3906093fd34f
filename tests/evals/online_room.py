"""What control gives to online work, over a database of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine
from tests.stores.rig import migrated

from tidegate.control.online import Given
from tidegate.core.declared import Declared
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.key import digest_of
from tidegate.core.layout import Layout
from tidegate.prompts.reading import Reading

PEPPER = b"p" * 32


class Room:
    """`leads` and `declared` are what control says of itself; a test changes them."""

    def __init__(self, folder: Path, **qualities: DeclaredQuality) -> None:
        self.layout = Layout(folder / "state")
        self.engine: Engine = migrated(self.layout.ledger_db)
        self.layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.leads = True
        self.declared = declared(qualities)
        self.given = Given(
            layout=self.layout,
            engine=self.engine,
            declared=lambda: self.declared,
            leads=lambda: self.leads,
            digest=lambda key: (digest_of(key.encode(), PEPPER), 1),
            prompts=Reading(),
            plan_folder=folder,
        )

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()


def declared(qualities: Mapping[str, DeclaredQuality | None], **control: Any) -> Declared:
    """A plan whose routes are graded like that."""
    routes = {name: DeclaredRoute(quality=it) for name, it in qualities.items()}
    plain = Declared(routes=routes)
    told = msgspec.structs.replace(plain.control, **control)
    return msgspec.structs.replace(plain, control=told)


class Counting(Struct):
    """A job that counts its steps, and fails in some of them."""

    steps: int = 0
    wait_s: float = 1.0
    fails: bool = False

    async def step(self) -> float:
        self.steps += 1
        if self.fails:
            raise ValueError("what was said")
        return self.wait_s

    def render(self) -> bytes:
        return b"steps %d\n" % self.steps
