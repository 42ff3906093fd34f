"""What copies have come to, of all gateways together."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.controllers.release_rig import rollout
from tests.stores import rig as stores
from tests.stores.rig import NOON_S

from tidegate.control.release_shadows import copies_of
from tidegate.controllers.release import Place, ShadowSeen, Standing
from tidegate.core.layout import Layout
from tidegate.core.rollout_state import State
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database
from tidegate.stores.ledger import Ledger
from tidegate.stores.rollouts import Kept


def kept(state: State = "shadow", since_s: float = NOON_S, **fields: Any) -> Kept:
    return Kept(rollout(**fields), "ada", 0.0, state, 0, "", since_s)


def copied(room: Room, engine: Engine, *told: dict[str, Any]) -> None:
    """Copies, some seconds after each other, of two gateways in turn."""
    receipts = []
    for number, given in enumerate(told):
        fields = {"route": "chat", "arm": "shadow", "purpose": "shadow", **given}
        fields["gateway"] = f"gateway-{number % 2}"
        receipts.append(stores.receipt(NOON_S + 1 + number, **fields))
    Ledger(engine).write(stores.entries(*receipts), [])
    recorder = Recorder(Layout(Path(room.layout.state)), engine, Metrics())
    recorder.folding.step()
    recorder.folding.close()


def seen(engine: Engine, one: Kept, standing: Standing, names: Any = None) -> ShadowSeen:
    with database.reading(engine) as connection:
        known = {one.rollout.id: Place(standing)}
        return copies_of(connection, [one], known, names).get(one.rollout.id, ShadowSeen())


def test_their_cost_is_that_at_every_gateway(room: Room, engine: Engine) -> None:
    copied(room, engine, {"cost_nanousd": 70}, {"cost_nanousd": 30}, {"cost_nanousd": None})
    found = seen(engine, kept(), Standing("shadow", shadowed_s=NOON_S))
    assert (found.copies, found.cost_nanousd, found.unpriced) == (3, 100, 1)


def test_answers_that_break_their_contract_are_told(room: Room, engine: Engine) -> None:
    """The hard limit of a shadow goes by them."""
    copied(
        room,
        engine,
        {"validity": "malformed"},
        {"validity": "valid"},
        {"validity": "schema_violation"},
    )
    found = seen(engine, kept(), Standing("shadow", shadowed_s=NOON_S))
    assert (found.requests, found.invalid, found.failed) == (3, 2, 0)


def test_what_was_taken_back_before_it_was_sent_is_held_against_nobody(
    room: Room, engine: Engine
) -> None:
    ours = {"error_fault": "gateway", "status": 503}
    unsent = {"error_code": "route_off", "cost_nanousd": 0, **ours}
    cut = {"error_code": "draining", "cost_nanousd": None, **ours}
    copied(room, engine, unsent, {**unsent, "error_code": "draining"}, cut)
    found = seen(engine, kept(), Standing("shadow", shadowed_s=NOON_S))
    assert (found.requests, found.failed, found.unpriced) == (1, 1, 1)


def test_a_resumed_one_counts_its_answers_anew_and_their_cost_on(
    room: Room, engine: Engine
) -> None:
    copied(room, engine, {"cost_nanousd": 70}, {"cost_nanousd": 30})
    standing = Standing("shadow", shadowed_s=NOON_S)
    found = seen(engine, kept(since_s=NOON_S + 600), standing)
    assert (found.requests, found.copies, found.cost_nanousd) == (0, 2, 100)


def test_copies_for_the_other_orthogonal_release_are_none_of_its_own(
    room: Room, engine: Engine
) -> None:
    copied(room, engine, {"release": "chat@2"}, {"release": "chat@3"}, {"release": "chat@3"})
    standing = Standing("shadow", shadowed_s=NOON_S, copied_as=("chat@3",))
    names = {"chat/new": "chat@3", "chat/brief": "chat@2"}
    assert seen(engine, kept(orthogonal=True), standing, names).requests == 2
    assert seen(engine, kept(), standing, names).requests == 3
    renamed = seen(engine, kept(orthogonal=True), standing, {"chat/new": "chat@4"})
    assert (renamed.copies, renamed.name) == (2, "chat@4")


def test_without_a_shadow_under_way_there_is_nothing(room: Room, engine: Engine) -> None:
    copied(room, engine, {})
    assert seen(engine, kept("step"), Standing("step")) == ShadowSeen()
