"""What one head may say, check by check; the grid shows the same on the wire."""

import pytest

from tidegate.core.outcome import Refusal
from tidegate.gateway.http import strict

HOST = {b"host": b"x"}


@pytest.mark.parametrize(
    "host", [b"x", b"a.b-c.example", b"a_b:4000", b"127.0.0.1:80", b"[::1]", b"[2001:db8::1]:443"]
)
def test_a_sane_host_passes(host: bytes) -> None:
    assert strict.check_head({b"host": host}, 1, None) == host


@pytest.mark.parametrize(
    "host",
    [b"", b".x", b"x/", b"x?", b"x#", b"a b", b"a,b", b"u@x", b"x:", b"x:a", b"[::1", b"\xff"],
)
def test_another_host_does_not(host: bytes) -> None:
    with pytest.raises(Refusal, match="Host"):
        strict.check_head({b"host": host}, 1, None)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/v1/models", b"/v1/models", b""),
        (b"/v1/models?a=b?c", b"/v1/models", b"a=b?c"),
        (b"/v1/%2e%2e/admin", b"/v1/%2e%2e/admin", b""),
        (b"//v1//models/", b"//v1//models/", b""),
        (b"/v1/models;x=1", b"/v1/models;x=1", b""),
        (b"/v1%2Fmodels", b"/v1%2Fmodels", b""),
        (b"/v1/models.", b"/v1/models.", b""),
        (b"http://X/a?b", b"/a", b"b"),
        (b"https://x", b"/", b""),
    ],
)
def test_a_path_is_what_came_and_nothing_is_decoded(
    target: bytes, path: bytes, query: bytes
) -> None:
    assert strict.split_target(target, b"x") == (path, query)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (b"/" + b"a" * strict.MAX_TARGET_BYTES, "uri_too_long"),
        (b"a", "invalid_http"),
        (b"*", "invalid_http"),
        (b"http://y/", "invalid_http"),
        (b"http://x@y/", "invalid_http"),
        (b"/a#b", "invalid_http"),
        (b"/a\x7f", "invalid_http"),
    ],
)
def test_other_targets_are_refused(target: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        strict.split_target(target, b"x")
    assert refused.value.code.name == code


def test_leave_is_asked_for_only_with_a_body_to_come() -> None:
    asks = {b"expect": b"100-Continue"}
    assert not strict.expects_continue(asks, 1)
    assert strict.expects_continue(asks | {b"content-length": b"1"}, 1)
    assert not strict.expects_continue(asks | {b"content-length": b"1"}, 0)


def test_a_repeated_header_is_joined_unless_it_decides_something() -> None:
    headers: strict.Headers = {}
    assert not strict.add_header(headers, b"X-A", b"1")
    assert strict.add_header(headers, b"x-a", b"2")
    assert headers == {b"x-a": b"1, 2"}
    for name in strict.SINGLE:
        strict.add_header(headers, name, b"1")
        with pytest.raises(Refusal, match="twice"):
            strict.add_header(headers, name.upper(), b"1")
