"""Keys of issuers: which are taken, and that nothing but what was signed is."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.signers import claims, ec_key, ed_key, jwk, jwks, rsa_key, sign

from tidegate.callers import jwt as module
from tidegate.callers.jwt import plug
from tidegate.core.caller import KeySet
from tidegate.text.jws import read_signed

RSA, EC, ED = rsa_key(), ec_key(), ed_key()
KEYS: dict[str, Any] = {"RS256": RSA, "PS256": RSA, "ES256": EC, "EdDSA": ED}
TOKENS = {name: sign(key, claims(), name).encode() for name, key in KEYS.items()}


def set_of(*told: object, algorithms: Any = ("RS256", "ES256", "EdDSA")) -> KeySet:
    return plug.keys(msgspec.json.encode({"keys": told}), algorithms)


def keys_of(*told: object, algorithms: Any = ("RS256", "ES256", "EdDSA")) -> Any:
    return set_of(*told, algorithms=algorithms).keys


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_was_signed_holds(algorithm: str) -> None:
    token = read_signed(TOKENS[algorithm])
    found = plug.keys(jwks(one=KEYS[algorithm]), (algorithm,))  # type: ignore[arg-type]
    [key] = found.keys["one", algorithm]
    assert key.verify(token.signed, token.signature) and not found.skipped


@given(st.data())
def test_with_any_bit_another_nothing_holds(data: st.DataObject) -> None:
    algorithm = data.draw(st.sampled_from(sorted(KEYS)))
    token = read_signed(TOKENS[algorithm])
    [key] = keys_of(jwk(KEYS[algorithm], "one"), algorithms=(algorithm,))["one", algorithm]
    part = data.draw(st.sampled_from(["signed", "signature"]))
    whole = bytearray(getattr(token, part))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    parts = {"signed": token.signed, "signature": token.signature, part: bytes(whole)}
    assert not key.verify(**parts)


@given(st.binary(max_size=600))
def test_no_made_up_signature_holds(signature: bytes) -> None:
    keys = keys_of(jwk(RSA, "r"), jwk(EC, "c"), jwk(ED, "d"))
    assert not any(key.verify(b"x.y", signature) for those in keys.values() for key in those)


def test_a_key_is_good_for_its_own_algorithms_alone() -> None:
    keys = keys_of(jwk(RSA, "r"), jwk(EC, "c"), jwk(ED, "d"))
    assert set(keys) == {("r", "RS256"), ("c", "ES256"), ("d", "EdDSA")}
    both = keys_of(jwk(RSA, "r"), algorithms=("RS256", "PS256"))
    assert set(both) == {("r", "RS256"), ("r", "PS256")}
    said = keys_of(jwk(RSA, "r", alg="PS256"), algorithms=("RS256", "PS256"))
    assert set(said) == {("r", "PS256")}


@pytest.mark.parametrize(
    "told",
    [
        {"kty": "oct", "kid": "h", "k": "c2VjcmV0"},
        jwk(RSA, "r", use="enc"),
        jwk(RSA, "r", key_ops=["encrypt"]),
        jwk(RSA, "r", alg="RS512"),
        {**jwk(RSA, "r"), "n": "AQAB"},
        {**jwk(EC, "c"), "crv": "P-384"},
        {**jwk(EC, "c"), "x": "AAAA"},
        {"kty": "RSA", "kid": "r"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
    ],
    ids=range(9),
)
def test_a_key_that_is_good_for_nothing_spoils_no_other(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no key of the set"):
        keys_of(told)
    assert set(keys_of(told, jwk(EC, "good"))) == {("good", "ES256")}


def test_a_key_of_a_spiffe_bundle_is_one() -> None:
    assert set(keys_of(jwk(EC, "c", use="jwt-svid"))) == {("c", "ES256")}


def test_a_private_key_that_was_published_is_no_use_to_us() -> None:
    told = dict(jwk(EC, "c"))
    told["d"] = "AAAA"  # not read, or this would not be a key
    assert set(keys_of(told)) == {("c", "ES256")}


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (b"{}", "no JSON Web Key Set"),
        (b"[]", "no JSON Web Key Set"),
        (b"\xff", "no JSON Web Key Set"),
        (b" " * (module.MAX_JWKS_BYTES + 1), "longer than"),
        (msgspec.json.encode({"keys": [{"kty": "x"}] * 101}), "more than"),
        (b'{"keys":[{"kty":"EC","kid":7}]}', "no key of the set .*key 1 of 1 cannot be read"),
    ],
    ids=range(6),
)
def test_what_is_no_set_is_none(told: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        plug.keys(told, ("ES256",))


@pytest.mark.parametrize(
    "told",
    [
        *(7, None, "k", [], {}, {"kty": 7}, {**jwk(EC, "c"), "kid": 7}),
        *({**jwk(EC, "c"), "key_ops": "verify"}, {**jwk(EC, "c"), "x": "AAAA"}),
        *({**jwk(RSA, "r"), "n": "AQAB"}, {"kty": "RSA", "kid": "r"}),
    ],
    ids=range(11),
)
def test_a_key_that_is_broken_is_left_out_and_told_of(told: object) -> None:
    found = set_of(jwk(EC, "good"), told, jwk(ED, "d"))
    assert set(found.keys) == {("good", "ES256"), ("d", "EdDSA")}
    [said] = found.skipped
    assert said.startswith("key 2 of 3 ")


def test_a_key_for_others_is_not_left_out() -> None:
    found = set_of(jwk(EC, "c"), {"kty": "oct", "k": "AAAA"}, jwk(RSA, "r", use="enc"))
    assert set(found.keys) == {("c", "ES256")} and not found.skipped


def test_each_key_of_one_id_is_tried_and_there_is_an_end_of_them() -> None:
    signers = [ec_key() for _ in range(module.MOST_OF_ONE_ID + 2)]
    found = set_of(*(jwk(key, "c") for key in signers))
    those = found.keys["c", "ES256"]
    assert len(those) == module.MOST_OF_ONE_ID
    assert [said[:5] for said in found.skipped] == ["key 5", "key 6"]
    for number, key in enumerate(signers):
        token = read_signed(sign(key, claims()).encode())
        good = [it.verify(token.signed, token.signature) for it in those]
        assert good == [at == number for at in range(len(those))]


@given(st.lists(st.one_of(st.integers(0, 2), st.recursive(st.none() | st.text(), st.lists))))
def test_whatever_stands_beside_good_keys_they_are_found(drawn: list[Any]) -> None:
    good = [(jwk(EC, "c"), "c"), (jwk(RSA, "r"), "r"), (jwk(ED, "d"), "d")]
    drawn = drawn[:50]
    wanted = {good[one][1] for one in drawn if isinstance(one, int)}
    if not wanted:
        return
    found = set_of(*(good[one][0] if isinstance(one, int) else one for one in drawn))
    assert {name for name, _ in found.keys} == wanted
    assert len(found.skipped) >= sum(not isinstance(one, int) for one in drawn)
