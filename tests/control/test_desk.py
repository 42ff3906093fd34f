"""What every answer draws on."""

import asyncio

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room

from tidegate.control.errors import ApiError
from tidegate.stores.errors import StoreUnavailable


def test_the_store_is_asked_off_the_loop_and_its_failure_is_the_gateway_s(room: Room) -> None:
    def broken(engine: Engine) -> int:
        raise StoreUnavailable("disk full")

    with pytest.raises(ApiError) as refused:
        asyncio.run(room.desk.store(broken))
    assert refused.value.status == 503
    assert "disk full" in str(refused.value)


def test_nobody_connected_is_nobody_to_wait_for(room: Room) -> None:
    assert asyncio.run(room.desk.obeyed(10**9)) == []
    assert asyncio.run(room.desk.newest_seq()) == room.log.newest_seq()
