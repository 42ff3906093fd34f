"""Whose burn it is, where two releases of a route are at work."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.controllers.release_rig import rollout
from tests.stores import rig as stores
from tests.stores.rig import NOON_S
from tests.stores.signal_rig import add, key, one

from tidegate.control.moment import Moment
from tidegate.control.release_burns import of_each
from tidegate.controllers.release import Burning, is_own
from tidegate.core.layout import Layout
from tidegate.core.rollout_state import State
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stats.histogram import bucket_of
from tidegate.stores import database
from tidegate.stores.ledger import Ledger
from tidegate.stores.rollouts import Kept

NAMES = {"chat/new": "chat@2", "chat/brief": "chat@3"}
# Of all bad requests nine in ten were a candidate's, of one in five requests.
BURNING = Burning("availability", 0.9, 0.2)


def kept(name: str, state: State = "step") -> Kept:
    return Kept(replace(rollout(), id=name), "ada", 0.0, state, 0, "", 0.0)


@pytest.fixture
def requests(room: Room, engine: Engine) -> Engine:
    """Ten requests of each candidate: of `chat/brief` eight failed, of `chat/new` none."""
    told: list[Any] = []
    for name in ("chat@2", "chat@3"):
        for number in range(10):
            failed = {"error_code": "upstream_error", "error_fault": "provider", "status": 502}
            is_bad = name == "chat@3" and number < 8
            given = failed if is_bad else {}
            told.append(
                stores.receipt(NOON_S + number, route="chat", arm="canary", release=name, **given)
            )
    Ledger(engine).write(stores.entries(*told), [])
    recorder = Recorder(Layout(Path(room.layout.state)), engine, Metrics())
    recorder.folding.step()
    recorder.folding.close()
    return engine


def burns(engine: Engine, *those: Kept, candidates: Any = NAMES) -> Any:
    burning = {"chat": (BURNING,)}
    moment = Moment(NOON_S + 60, 0.0, burning=burning, candidates=candidates)
    with database.reading(engine) as connection:
        return of_each(connection, moment, those)


def test_what_burns_is_told_apart_by_whose_requests_were_bad(requests: Engine) -> None:
    found = burns(requests, kept("chat/new"), kept("chat/brief"))
    [mine], [others] = found["chat/new"], found["chat/brief"]
    assert (mine.canary_bad, mine.canary_traffic) == (0.0, 0.1)
    assert (others.canary_bad, others.canary_traffic) == (pytest.approx(0.9), 0.1)
    assert not is_own(mine.canary_bad, mine.canary_traffic)
    assert is_own(others.canary_bad, others.canary_traffic)


def test_turns_are_told_apart_by_the_verdicts_that_their_length_had_part_in(
    room: Room, engine: Engine
) -> None:
    slow = {"turn_time": {bucket_of(60.0): 10}}
    minute_s = int(NOON_S) // 60 * 60
    bins = {
        key(minute_s, arm="canary", release=name): one(
            slow, turn_time_good=10 - bad, turn_time_bad=bad
        )
        for name, bad in (("chat@2", 0), ("chat@3", 8))
    }
    add(engine, bins)
    burning = {"chat": (Burning("turn_time", 0.9, 0.2, 4.0, 0.03),)}
    moment = Moment(NOON_S + 60, 0.0, burning=burning, candidates=NAMES)
    with database.reading(engine) as connection:
        found = of_each(connection, moment, (kept("chat/new"), kept("chat/brief")))
    assert [found[it][0].canary_bad for it in NAMES] == [0.0, pytest.approx(0.9)]


def test_what_is_another_s_is_not_held_against_one_that_soaks(requests: Engine) -> None:
    candidates = {"chat/brief": "chat@3"}
    found = burns(requests, kept("chat/new", "soak"), kept("chat/brief"), candidates=candidates)
    assert found["chat/new"] == ()
    candidates = {"chat/brief": "chat@2"}
    found = burns(requests, kept("chat/new", "soak"), kept("chat/brief"), candidates=candidates)
    assert found["chat/new"] == (BURNING,)


def test_a_turn_that_may_take_longer_for_its_length_is_not_bad(room: Room, engine: Engine) -> None:
    """Of two that both take longer than the time without a token, one has written little."""
    brief, wordy = ({"release": name, "arm": "canary"} for name in ("chat@2", "chat@3"))
    long = {"turn_time": {bucket_of(10.0): 10}}
    add(
        engine,
        {
            key(**brief): one(long, turn_time_good=0, turn_time_bad=10),
            key(**wordy): one(long, turn_time_good=10, turn_time_bad=0),
        },
    )
    burning = {"chat": (Burning("turn_time", 0.9, 0.2, 2.0, 0.05),)}
    moment = Moment(NOON_S + 60, 0.0, burning=burning, candidates=NAMES)
    with database.reading(engine) as connection:
        found = of_each(connection, moment, (kept("chat/new"), kept("chat/brief")))
    assert [it.canary_bad for it in (*found["chat/new"], *found["chat/brief"])] == [0.9, 0.0]


def test_one_alone_on_its_route_answers_for_every_candidate(requests: Engine) -> None:
    assert burns(requests, kept("chat/new")) == {}
    assert burns(requests, kept("chat/new"), kept("chat/brief", "gated")) == {}


def test_what_nobody_can_tell_apart_is_held_against_both(room: Room, engine: Engine) -> None:
    found = burns(engine, kept("chat/new"), kept("chat/brief"))
    assert found == {"chat/new": (BURNING,), "chat/brief": (BURNING,)}
