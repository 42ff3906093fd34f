"""One identity in virtual time, whose sign-in is played."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.gateway import virtual

from tidegate.core import clock
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Lease
from tidegate.gateway.cloud_identity import CloudIdentity

HOUR_S = 3600.0


class FakeEntry:
    """Signs in after `takes_s`; `fails` is what it says instead of a token."""

    def __init__(self, lives_s: float = HOUR_S) -> None:
        self.lives_s = lives_s
        self.takes_s = 0.0
        self.fails: Exception | None = None
        self.asked_s: list[float] = []

    async def sign_in(self) -> tuple[Lease, float]:
        asked_s = clock.monotonic_s()
        self.asked_s.append(asked_s)
        await asyncio.sleep(self.takes_s)
        if self.fails is not None:
            raise self.fails
        return Lease(self.lives_s, token=Secret(f"token-{len(self.asked_s)}")), asked_s

    def has_changed(self) -> bool:
        return False


class Rig:
    def __init__(self, entry: FakeEntry) -> None:
        self.entry = entry
        self.renewed = 0
        self.it = CloudIdentity("vertex", entry, self._note)  # type: ignore[arg-type]

    def _note(self) -> None:
        self.renewed += 1

    def token(self) -> str | None:
        lease = self.it.lease
        return None if lease is None or lease.token is None else lease.token.reveal()


def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)
    monkeypatch.setattr(clock, "since_boot_s", virtual.now_s)
    monkeypatch.setattr(clock, "fraction", lambda: 0.0)


def run(main: Coroutine[Any, Any, None]) -> None:
    virtual.run(main)
