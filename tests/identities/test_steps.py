"""What the clouds' ways to sign in share, whatever a server says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identities.taking import NOW_S

from tidegate.core.secret import Secret
from tidegate.core.sign_in import Around, Fetch, Fetched, Lease, NotSignedIn
from tidegate.identities import _steps

STEP = Fetch("POST", "https://s.example/")
VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)


def answered(answer: Fetched, *secrets: Secret) -> Lease:
    steps = _steps.bearer(STEP, "it", *secrets)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(answer)
    lease: Lease = end.value.value
    return lease


@given(
    status=st.sampled_from([200, 400, 500]),
    body=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["access_token", "expires_in", "error", "error_description"]),
        VALUES | st.dictionaries(st.text(max_size=5), VALUES, max_size=2),
    ).map(msgspec.json.encode),
)
def test_whatever_a_server_says_it_is_a_good_token_or_none(status: int, body: bytes) -> None:
    secret = Secret("x" * 30)
    try:
        lease = answered(Fetched(status, body), secret)
    except NotSignedIn as no:
        assert str(no).isprintable() and len(str(no)) < 600
        assert secret.reveal() not in str(no)
        return
    assert lease.token is not None and status == 200
    assert 0 < lease.lives_s <= _steps.MAX_LIFE_S
    assert lease.token.reveal().isascii() and " " not in lease.token.reveal()


@pytest.mark.parametrize("before", [0, 390, 1000])
def test_a_secret_is_not_told_where_the_answer_is_cut(before: int) -> None:
    secret = Secret("s3cr3t-" * 5)
    body = msgspec.json.encode({"error_description": "x" * before + secret.reveal()})
    with pytest.raises(NotSignedIn) as no:
        answered(Fetched(400, body), secret)
    assert "s3cr" not in str(no.value) and len(str(no.value)) < 600


def test_a_life_is_bounded() -> None:
    body = b'{"access_token":"t","expires_in":1e12}'
    assert answered(Fetched(200, body)).lives_s == 7 * 86_400


def test_until_when_is_counted_by_the_server_s_clock() -> None:
    around = Around({}, NOW_S)
    until = "2026-09-21T15:13:20Z"
    assert _steps.lives_until(until, Fetched(200, b""), around, "it") == 3600
    assert _steps.lives_until(until, Fetched(200, b"", NOW_S + 3000), around, "it") == 600
    with pytest.raises(NotSignedIn):
        _steps.lives_until("soon", Fetched(200, b""), around, "it")


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:1/x?y", True),
        ("http://localhost/x", True),
        ("http://[::1]/x", True),
        ("http://169.254.170.2/x", True),
        ("http://[fe80::1]/x", True),
        ("http://10.0.0.1/", False),
        ("http://localhost.evil.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("file:///x", False),
        ("", False),
    ],
)
def test_what_is_near(url: str, near: bool) -> None:
    assert _steps.is_near(url) == near
