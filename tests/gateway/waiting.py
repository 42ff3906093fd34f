"""A target's places as tests fill them and wait for them, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.gateway import virtual

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.gateway.entrance import Wish
from tidegate.gateway.places import Place, Places

A, B = ("a", None), ("b", None)


def places(**settings: Any) -> Places:
    return Places(Queueing(**{"max_in_flight": 2, **settings}), 100)


def full(it: Places) -> list[Place]:
    """All of its places, taken at 0."""
    taken = []
    while (place := it.take(1, False, 0.0)) is not None:
        taken.append(place)
    return taken


def wait(it: Places, rank: int = 1, **wish: Any) -> "asyncio.Task[Place]":
    wanted = Wish(rank, wish.pop("tenant", A), False, **wish)
    return asyncio.create_task(it.wait(wanted, virtual.now_s()))


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def code_of(waiting: Coroutine[Any, Any, Place] | asyncio.Task[Place]) -> str:
    with pytest.raises(Refusal) as refused:
        await waiting
    return refused.value.code.name
