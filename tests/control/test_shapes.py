"""What answers show of stored things."""

import pytest

from tidegate.control.shapes import KeyView
from tidegate.core.key import KeyRecord


@pytest.mark.parametrize(
    ("expires_at_s", "revoked_at_s", "state"),
    [
        (None, None, "live"),
        (11.0, None, "live"),
        (10.0, None, "expired"),
        (None, 5.0, "revoked"),
        (9.0, 5.0, "revoked"),
    ],
)
def test_a_key_s_state_follows_from_its_times(
    expires_at_s: float | None, revoked_at_s: float | None, state: str
) -> None:
    record = KeyRecord(
        id="abcdefgh",
        digest=b"secret digest",
        pepper_version=1,
        name="app",
        team="house",
        created_at_s=1.0,
        routes=("*",),
        expires_at_s=expires_at_s,
        revoked_at_s=revoked_at_s,
    )
    view = KeyView.of(record, 10.0)
    assert view.state == state
    assert not hasattr(view, "digest")
