"""Keys: their shape, what is stored of them, what they may use."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import key
from tidegate.core.key import KeyRecord


def test_a_fresh_key_carries_its_id_and_no_two_are_alike() -> None:
    made = [key.generate() for _ in range(200)]
    assert len({text for _, text in made}) == 200
    for key_id, text in made:
        assert key.id_of(text.encode()) == key_id
        assert text.startswith(f"sk-tg-{key_id}_")
        assert len(text) == 6 + 8 + 1 + 32


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_no_key(presented: bytes) -> None:
    assert key.id_of(presented) is None or presented.startswith(b"sk-")


GOOD = b"sk-tg-" + b"a" * 8 + b"_" + b"b" * 32


@pytest.mark.parametrize(
    "presented",
    [
        GOOD[:-1],
        GOOD + b"b",
        b"xx-" + GOOD[3:],
        GOOD.replace(b"_", b"-"),
        GOOD[:6] + b"aaaa aaa" + GOOD[14:],
        GOOD[:-1] + b"\xb5",
        GOOD[:-1] + b"\n",
    ],
)
def test_near_misses_are_no_key(presented: bytes) -> None:
    assert key.id_of(GOOD) == "aaaaaaaa"
    assert key.id_of(presented) is None


def test_a_foreign_key_is_known_by_its_sha256_alone() -> None:
    presented = b"sk-xx-" + GOOD[6:]
    sha256 = hashlib.sha256(presented).digest()
    key_id = key.id_of(presented)
    assert key_id == f"ext-{sha256.hex()[:24]}" == key.foreign_id(sha256)
    assert key.read(presented) == (key_id, sha256)
    assert key.read(GOOD) == ("aaaaaaaa", GOOD)
    assert key.read(b"sk-" + b"x" * 510) is None  # no longer than keys are


@given(st.binary(max_size=60))
def test_no_foreign_key_has_the_id_of_one_of_ours(presented: bytes) -> None:
    found = key.read(b"sk-" + presented)
    if found is not None and found[0].startswith("ext-"):
        assert key.is_id(found[0])
        assert not found[0].isalnum()


@pytest.mark.parametrize("text", ["", "aaaa", "ext-", "ext-" + "g" * 24, "aaaaaaaa\n", "../aaaaa"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert not key.is_id(text)
    assert key.is_id("aaaaaaaa")


def test_a_digest_depends_on_key_and_pepper_and_holds_neither() -> None:
    digest = key.digest_of(GOOD, b"pepper")
    assert key.same_digest(digest, key.digest_of(GOOD, b"pepper"))
    assert not key.same_digest(digest, key.digest_of(GOOD, b"other"))
    assert not key.same_digest(digest, key.digest_of(GOOD[:-1] + b"c", b"pepper"))
    assert len(digest) == 32
    assert b"pepper" not in digest


def record(*routes: str) -> KeyRecord:
    return KeyRecord("aaaaaaaa", b"", 1, "name", "team", 0.0, routes)


def test_a_key_may_use_its_routes_and_no_other() -> None:
    assert record("chat", "embed").may_use("embed")
    assert not record("chat").may_use("chat-large")
    assert not record().may_use("chat")
    assert record("*").may_use("anything")
