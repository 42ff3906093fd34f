from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine, delete
from tests.stores import rig

from tidegate.core.key import ONLINE_QUALITY, KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.stores import audit, database, feed, keys
from tidegate.stores.audit import Author
from tidegate.stores.key_reader import KeyReader
from tidegate.stores.keys import KeyExists, KeyFilter, KeyNotFound
from tidegate.stores.schema import keys as table
from tidegate.stores.shared import Shared

ANN = Author("ann", rig.NOON_S)


def told(engine: Engine) -> tuple[list[str | None], list[str]]:
    """(keys of the feed, what the audit says), oldest first."""
    with database.reading(engine) as connection:
        changed = [row.key_id for row in feed.after(connection, 0)]
        said = [row.what for row in reversed(audit.recent(connection))]
    return changed, said


def test_a_key_comes_back_as_it_was_stored(engine: Engine) -> None:
    record = rig.key(
        "aaaa0000",
        routes=("fast", "slow"),
        customer="acme",
        environment="staging",
        purpose="eval",
        priority="batch",
        attributes={"cost_centre": "7", "ü": "\u2028"},
        expires_at_s=rig.NOON_S + 60,
    )
    assert keys.create(engine, record, ANN) == 1
    assert keys.get(engine, "aaaa0000") == record
    assert keys.get(engine, "bbbb0000") is None
    assert told(engine) == (["aaaa0000"], ["key.create"])


def test_several_are_placed_at_once_and_found_by_how_their_ids_begin(engine: Engine) -> None:
    limits = KeyLimits(5, "month", openings=2)
    keys.create(engine, rig.key("aaaa0000"), ANN)
    one, other = (rig.key(f"ext-{letter * 24}", limits=limits) for letter in "ab")
    with database.writing(engine) as connection:
        keys.place(connection, [one, other])
        keys.place(connection, [])
        renamed = replace(other, name="renamed", limits=None)
        keys.place(connection, [renamed])
        found = keys.beginning(connection, "ext-")
    assert found == {one.id: one, other.id: renamed}


def test_a_taken_id_is_refused_and_nothing_is_told(engine: Engine) -> None:
    keys.create(engine, rig.key("aaaa0000"), ANN)
    with pytest.raises(KeyExists):
        keys.create(engine, rig.key("aaaa0000", name="another"), ANN)
    assert told(engine) == (["aaaa0000"], ["key.create"])
    found = keys.get(engine, "aaaa0000")
    assert found is not None
    assert found.name == "a key"


def test_revoking_keeps_the_first_time_and_announces_again(engine: Engine) -> None:
    keys.create(engine, rig.key("aaaa0000"), ANN)
    assert keys.revoke(engine, "aaaa0000", ANN) == 2
    assert keys.revoke(engine, "aaaa0000", Author("bob", rig.NOON_S + 9)) == 3
    found = keys.get(engine, "aaaa0000")
    assert found is not None
    assert found.revoked_at_s == rig.NOON_S
    assert told(engine) == (["aaaa0000"] * 3, ["key.create", "key.revoke"])


def test_revoking_what_is_not_there_is_an_error(engine: Engine) -> None:
    with pytest.raises(KeyNotFound, match="no key zzzz0000"):
        keys.revoke(engine, "zzzz0000", ANN)


def successor(key_id: str) -> Callable[[KeyRecord], KeyRecord]:
    return lambda old: keys.successor(old, key_id, b"", 1, rig.NOON_S)


def test_rotating_gives_the_same_grants_and_ends_the_old_key_at_once(engine: Engine) -> None:
    old = rig.key("aaaa0000", routes=("fast",), attributes={"a": "b"})
    keys.create(engine, old, ANN)
    fresh = keys.successor(old, "bbbb0000", b"\x02" * 32, 2, rig.NOON_S + 5)
    stale = rig.key("aaaa0000")  # whoever looked at it before it was changed

    def succeed(now: KeyRecord) -> KeyRecord:
        assert stale != now == old
        return fresh

    assert keys.rotate(engine, "aaaa0000", succeed, Author("ann", rig.NOON_S + 5)) == 3
    ended, lives = keys.get(engine, "aaaa0000"), keys.get(engine, "bbbb0000")
    assert ended is not None
    assert lives == fresh
    assert ended.revoked_at_s == rig.NOON_S + 5
    assert (fresh.routes, fresh.attributes, fresh.digest) == (("fast",), {"a": "b"}, b"\x02" * 32)
    assert told(engine) == (["aaaa0000", "aaaa0000", "bbbb0000"], ["key.create", "key.rotate"])


def test_rotating_with_an_overlap_shortens_and_never_lengthens(engine: Engine) -> None:
    for key_id, expires_at_s in (("aaaa0000", None), ("bbbb0000", rig.NOON_S + 10)):
        old = rig.key(key_id, expires_at_s=expires_at_s)
        keys.create(engine, old, ANN)
        keys.rotate(engine, key_id, successor(key_id[::-1]), ANN, overlap_s=3600)
    first, second = keys.get(engine, "aaaa0000"), keys.get(engine, "bbbb0000")
    assert first is not None
    assert second is not None
    assert (first.expires_at_s, first.revoked_at_s) == (rig.NOON_S + 3600, None)
    assert second.expires_at_s == rig.NOON_S + 10


def test_a_revoked_key_is_not_rotated(engine: Engine) -> None:
    old = rig.key("aaaa0000")
    keys.create(engine, old, ANN)
    keys.revoke(engine, "aaaa0000", ANN)
    with pytest.raises(KeyNotFound):
        keys.rotate(engine, "aaaa0000", successor("bbbb0000"), ANN)
    assert keys.get(engine, "bbbb0000") is None


def test_listing_filters_and_pages(engine: Engine) -> None:
    for number in range(6):
        team = "blue" if number % 2 else "red"
        keys.create(engine, rig.key(f"k{number}", team=team, name=f"n{number}"), ANN)
    keys.revoke(engine, "k3", ANN)
    assert [k.id for k in keys.find(engine, KeyFilter(team="blue"))] == ["k1", "k3", "k5"]
    live = KeyFilter(team="blue", include_revoked=False)
    assert [k.id for k in keys.find(engine, live)] == ["k1", "k5"]
    page = keys.find(engine, KeyFilter(), limit=4)
    assert [k.id for k in keys.find(engine, KeyFilter(), after_id=page[-1].id)] == ["k4", "k5"]


_TEXT = st.text(
    st.sampled_from(["%", "_", "/", "\\", "*", "a", "A", "ß", "\U0010ffff"]), max_size=4
)


@given(names=st.lists(_TEXT, max_size=8), prefix=_TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_prefix_matches_itself_and_nothing_else(
    engine: Engine, names: list[str], prefix: str
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(table))
    for number, name in enumerate(names):
        keys.create(engine, rig.key(f"k{number}", name=name), ANN)
    found = keys.find(engine, KeyFilter(name_prefix=prefix))
    assert [k.name for k in found] == [name for name in names if name.startswith(prefix)]


LIMITS = KeyLimits(budget_nanousd=5, budget_unit="month", requests_per_minute=60)


def test_a_key_s_own_limits_are_kept_and_read_by_gateways(
    engine: Engine, place: Path | Shared
) -> None:
    keys.create(engine, rig.key("aaaaaaaa", limits=LIMITS), ANN)
    found = keys.get(engine, "aaaaaaaa")
    assert found is not None
    assert found.limits == LIMITS
    reader = KeyReader(place, timeout_s=5.0)
    assert reader.get("aaaaaaaa") == found
    reader.close()


def test_an_edit_changes_grants_and_never_who_the_key_is(engine: Engine) -> None:
    old = rig.key("aaaaaaaa")
    keys.create(engine, old, ANN)

    def change(record: KeyRecord) -> KeyRecord:
        return replace(record, id="bbbbbbbb", digest=b"x", name="new", limits=LIMITS)

    seq = keys.edit(engine, "aaaaaaaa", change, ANN)
    assert keys.get(engine, "aaaaaaaa") == replace(old, name="new", limits=LIMITS)
    assert keys.get(engine, "bbbbbbbb") is None
    with database.reading(engine) as connection:
        assert feed.after(connection, seq - 1)[0].key_id == "aaaaaaaa"
        assert audit.recent(connection)[0].what == "key.edit"
    keys.revoke(engine, "aaaaaaaa", ANN)
    with pytest.raises(KeyNotFound):
        keys.edit(engine, "aaaaaaaa", change, ANN)


def test_a_team_s_live_keys_are_revoked_together_and_each_is_announced(engine: Engine) -> None:
    for key_id, team in (("aaaaaaaa", "blue"), ("bbbbbbbb", "red"), ("cccccccc", "blue")):
        keys.create(engine, rig.key(key_id, team=team), ANN)
    first = keys.revoke(engine, "cccccccc", ANN)
    with database.writing(engine) as connection:
        assert keys.revoke_all(connection, "blue", Author("bo", rig.NOON_S + 9)) == ["aaaaaaaa"]
        assert [row.key_id for row in feed.after(connection, first)] == ["aaaaaaaa"]
    gone, kept = keys.get(engine, "aaaaaaaa"), keys.get(engine, "bbbbbbbb")
    assert gone is not None and gone.revoked_at_s == rig.NOON_S + 9
    assert kept is not None and kept.revoked_at_s is None


def test_a_key_s_limits_are_known_while_it_lives_and_control_s_own_stand_in_no_way(
    engine: Engine,
) -> None:
    def limited() -> bool:
        with database.reading(engine) as connection:
            return keys.any_limited(connection)

    own = rig.key("aaaaaaaa", name=ONLINE_QUALITY, purpose="eval", limits=LIMITS)
    keys.create(engine, own, ANN)
    assert not limited()
    keys.create(engine, replace(own, id="bbbbbbbb", purpose="production"), ANN)
    assert limited()
    keys.revoke(engine, "bbbbbbbb", ANN)
    assert not limited()
