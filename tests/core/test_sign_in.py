"""What signing in comes to can be handed on and shown without showing its secrets."""

import msgspec
import pytest

from tidegate.core.credential import SigningKey
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Lease, Sign

KEY = SigningKey("AKIDEXAMPLE", Secret("wJalrXUtn"), Secret("6e86291e"))


@pytest.mark.parametrize(
    ("lease", "secrets"),
    [
        (Lease(1.0, token=Secret("ya29.t")), ["ya29.t"]),
        (Lease(1.0, key=KEY), ["wJalrXUtn", "6e86291e"]),
        (Lease(1.0, key=SigningKey("A", Secret("wJalrXUtn"))), ["wJalrXUtn"]),
    ],
)
def test_all_that_is_secret_of_a_lease_is_known(lease: Lease, secrets: list[str]) -> None:
    assert [one.reveal() for one in lease.secrets] == secrets
    for text in (repr(lease), str(lease)):
        assert not any(one in text for one in secrets)
    with pytest.raises(TypeError):
        msgspec.json.encode(lease)


def test_a_key_to_sign_with_is_not_shown() -> None:
    assert "PRIVATE" not in repr(Sign(Secret("PRIVATE"), b"m", "RS256"))
