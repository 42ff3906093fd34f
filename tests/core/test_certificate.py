"""A certificate is control's own, whole, and in time."""

import pytest
from msgspec.structs import replace

from tidegate.core.certificate import DAY_S, Certificate, Fingerprint, Found, is_signed, signed

SECRET = b"s" * 32
NOW_S = 1_790_000_000.0
PLAIN = Certificate(
    id="c1",
    prompt="support",
    version="v4",
    digest="d" * 64,
    model="m-1",
    suite="support",
    suite_digest="e" * 64,
    cases=200,
    findings=(Found("quality", "pass", "not worse by 3"),),
    author="operator:ana",
    issued_at_s=NOW_S,
    expires_at_s=NOW_S + 90 * DAY_S,
)


def test_what_control_signed_is_genuine_under_any_of_its_secrets() -> None:
    kept = signed(PLAIN, SECRET)
    assert is_signed(kept, (b"other" * 8, SECRET))
    assert not is_signed(kept, (b"other" * 8,))
    assert not is_signed(PLAIN, (SECRET,))


def test_what_was_signed_before_builds_were_known_is_genuine() -> None:
    kept = replace(
        PLAIN,
        signature="135085faabd3a59d20a5960161a4608e7aa57fb06cb5b722e9273e11dc887b56",
    )
    assert is_signed(kept, (SECRET,))


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "f" * 64},
        {"model": "m-2"},
        {"version": "v5"},
        {"expires_at_s": NOW_S + 900 * DAY_S},
        {"findings": ()},
        {"snapshot": "m-1-2026"},
        {"fingerprints": (Fingerprint("up", "fp_a"),)},
    ],
)
def test_nothing_of_it_can_be_changed(change: dict[str, object]) -> None:
    assert not is_signed(replace(signed(PLAIN, SECRET), **change), (SECRET,))


def test_it_ends_and_a_clock_that_was_set_back_does_not_revive_it_for_ever() -> None:
    assert PLAIN.is_valid(NOW_S)
    assert PLAIN.is_valid(NOW_S + 89 * DAY_S)
    assert not PLAIN.is_valid(NOW_S + 90 * DAY_S)
    assert not PLAIN.is_valid(NOW_S - 2 * DAY_S)
