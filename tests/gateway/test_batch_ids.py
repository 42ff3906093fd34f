"""Whoever has an id of another's has nothing, whatever is done to it."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.rig import PEPPER, gateway, make_key, target

from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.batch_ids import Sealed, find, opened, owned, place_of, shown
from tidegate.gateway.keys import Keys

FILE = Sealed("input", "file-up", b"p" * 9, "small", "chat", "key-1", "team-a", None, lines=3)
WORDS = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=20)
OWNERS = st.tuples(st.sampled_from(["team-a", "team-b"]), st.sampled_from([None, "acme", "b"]))


class Nothing:
    def get(self, key_id: str) -> KeyRecord | None:
        return None


KEYS = Keys(Nothing(), {1: PEPPER})
NEWER = Keys(Nothing(), {1: PEPPER, 2: b"q" * 32})


def key(team: str = "team-a", customer: str | None = None, **fields: object) -> KeyRecord:
    return make_key(team=team, customer=customer, **fields)[1]


@given(OWNERS, OWNERS, WORDS)
def test_only_its_team_and_customer_open_an_id(whose, reader, own):
    sealed = replace(FILE, team=whose[0], customer=whose[1], own=own)
    found = opened(shown(sealed, KEYS.digests), key(*reader), KEYS.digests)
    assert found == (sealed if whose == reader else None)


@given(st.data())
def test_no_change_of_an_id_opens_anything(data):
    id = shown(FILE, KEYS.digests)
    at = data.draw(st.integers(0, len(id) - 1))
    other = id[:at] + data.draw(st.sampled_from("abcXYZ019-_=/ é")) + id[at + 1 :]
    if other != id:
        found = opened(other, key(), KEYS.digests)
        # The last digits of base64 hold bits that say nothing.
        assert found is None or (found == FILE and at == len(id) - 1)
    assert opened(id[:at], key(), KEYS.digests) is None


@given(st.text(max_size=80))
def test_anything_may_come_as_an_id(text):
    assert opened(text, key(), KEYS.digests) is None


def test_ids_outlive_a_new_pepper_and_no_other_one():
    id = shown(FILE, KEYS.digests)
    assert opened(id, key(), NEWER.digests) == FILE
    assert opened(id, key(), Keys(Nothing(), {1: b"z" * 32}).digests) is None


def test_an_id_of_one_kind_is_none_of_another():
    batch = shown(replace(FILE, kind="batch"), KEYS.digests)
    assert batch.startswith("batch_tg")
    assert opened("file-tg" + batch.removeprefix("batch_tg"), key(), KEYS.digests) is None
    for id, kinds in ((batch, ("input",)), (shown(FILE, KEYS.digests), ("batch",))):
        with pytest.raises(Refusal, match="there is no such"):
            owned(id, kinds, key(), KEYS.digests)


def test_a_key_that_may_not_use_the_route_has_no_such_file():
    id = shown(FILE, KEYS.digests)
    assert owned(id, ("input",), key(routes=("small",)), KEYS.digests) == FILE
    with pytest.raises(Refusal):
        owned(id, ("input",), key(routes=("other",)), KEYS.digests)


def test_a_place_is_found_in_the_plan_that_has_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1, "small"), target(1, "large")) as it:
            plan = it.world.obeyed()
            targets = [plan.routes[name].target for name in ("small", "large")]
            for one in targets:
                assert find(place_of(one, one.replicas[0]), targets) == (one, one.replicas[0])
            assert find(b"x" * 9, targets) is None

    asyncio.run(main())
