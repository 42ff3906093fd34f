"""Whoever has an id of another's has nothing, whatever is done to it."""

import asyncio
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.rig import PEPPER, gateway, make_key, target

from tidegate.core.batches import Batches
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.batch_ids import (
    MAX_VALUE_CHARS,
    Brought,
    Sealed,
    opened,
    owned,
    place_of,
    seal_of,
    shown,
    unsealed,
)
from tidegate.gateway.batch_place import account_of
from tidegate.gateway.batch_price import Pinned
from tidegate.gateway.keys import Keys

FILE = Sealed("input", "file-up", b"p" * 9, "small", "chat", "key-1", "team-a", None, lines=3)
OF_FILE = (
    "file-tgIrm8rnl4pQRlQ9BSHmGf_qDrggF0eia2lbgX-N4HjhbR1jRbSH_e5y8toD753K1"
    "t8tTw_6g7H7E0zipcIbf0-eQVw-ILOSKcQUOOxptQdHHMCq_BaljRr-BH5YQ"
)
OF_SAID = "9764091b9304e3fb"
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


SAID = replace(
    FILE,
    most_nanousd=123_456_789,
    price=Pinned("plan:of-secrets", "plan", ((0, 77_777),)),
    brought=Brought("production", {"project": "blue-whale"}, 5_000_000),
)


def test_an_id_tells_nothing_to_whoever_sees_it():
    clear = msgspec.msgpack.encode(SAID)
    texts = (b"file-up", b"small", b"team-a", b"key-1", b"of-secrets", b"blue-whale", b"production")
    assert all(text in clear for text in texts)
    data = urlsafe_b64decode(shown(SAID, KEYS.digests).removeprefix("file-tg") + "==")
    assert len(data) == len(clear) + 16
    assert not any(text in data for text in texts)
    # Nor does one tell anything of another that is almost the same.
    other = urlsafe_b64decode(
        shown(replace(SAID, own="file-uq"), KEYS.digests).removeprefix("file-tg") + "=="
    )
    same = sum(one == two for one, two in zip(data, other, strict=True))
    assert same < len(data) / 4


@given(OWNERS, WORDS, st.integers(0, 10**15))
def test_ids_of_before_they_were_enciphered_are_read(whose, own, nanousd):
    sealed = replace(SAID, team=whose[0], customer=whose[1], own=own, most_nanousd=nanousd)
    text = msgspec.msgpack.encode(sealed)
    digest = KEYS.digests(msgspec.msgpack.encode(["file or batch", text]))[0]
    id = "file-tg" + urlsafe_b64encode(digest[:16] + text).rstrip(b"=").decode()
    assert opened(id, key(*whose), KEYS.digests) == sealed
    assert opened(id, key(*whose), NEWER.digests) == sealed
    flipped = bytearray(digest[:16] + text)
    flipped[20] ^= 1
    id = "file-tg" + urlsafe_b64encode(bytes(flipped)).rstrip(b"=").decode()
    assert opened(id, key(*whose), KEYS.digests) is None


def test_an_id_stays_what_it_is():
    """Ids lie at providers and with callers: their form is not to change unseen."""
    assert shown(FILE, KEYS.digests) == OF_FILE
    assert opened(OF_FILE, key(), KEYS.digests) == FILE
    digest = hashlib.sha256(shown(SAID, KEYS.digests).encode()).hexdigest()
    assert digest[:16] == OF_SAID


@given(st.text(max_size=300), st.integers(0, 300))
def test_what_is_sealed_is_at_most_as_long_as_metadata_takes(customer, attributes):
    sealed = replace(SAID, kind="owner", customer=customer)
    if attributes:
        sealed = replace(sealed, brought=Brought(attributes={"a": "x" * attributes}))
    found = seal_of(sealed, KEYS.digests)
    assert found is None or len(found) <= MAX_VALUE_CHARS
    if found is not None:
        assert unsealed(found, KEYS.digests).team == "team-a"


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
        fields = {"dialect": "sim", "batches": Batches()}
        targets = [target(1, name, **fields) for name in ("small", "large")]
        async with gateway(tmp_path, *targets) as it:
            plan = it.world.obeyed()
            for one in [plan.routes[name].target for name in ("small", "large")]:
                place = place_of(one, one.replicas[0])
                found = account_of(replace(FILE, place=place), plan)
                assert (found.target, found.replica) == (one, one.replicas[0])
            with pytest.raises(Refusal, match="no longer in the plan"):
                account_of(FILE, plan)

    asyncio.run(main())
