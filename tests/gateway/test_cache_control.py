"""What a caller says of the cache, in whichever gateway's words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.gateway.cache_control import Directives, directives


def told(headers: dict[str, str] | None = None, cache: Any = None) -> Directives:
    members = {"model": Raw(b'"m"')}
    if cache is not None:
        members["cache"] = Raw(msgspec.json.encode(cache))
    ask = Ask("chat", b"{}", members, "m")
    found = directives({k.encode(): v.encode() for k, v in (headers or {}).items()}, ask)
    assert "cache" not in ask.members
    return found


def facts(found: Directives) -> tuple[bool, bool, float | None, float | None]:
    return found.reads, found.keeps, found.max_age_s, found.ttl_s


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (True, True, None, None)),
        ({"cache-control": "no-cache"}, (False, True, None, None)),
        ({"cache-control": "No-Store"}, (True, False, None, None)),
        ({"cache-control": "no-cache, no-store"}, (False, False, None, None)),
        ({"cache-control": 'max-age="60", x=y'}, (True, True, 60.0, None)),
        ({"cache-control": "max-age=soon"}, (True, True, None, None)),
        ({"x-tidegate-cache": "no-cache"}, (False, True, None, None)),
        ({"x-tidegate-cache": "max-age=5"}, (True, True, 5.0, None)),
        ({"x-tidegate-cache-ttl": "90"}, (True, True, None, 90.0)),
        ({"x-portkey-cache-force-refresh": "true"}, (False, True, None, None)),
        ({"x-portkey-cache-force-refresh": "false"}, (True, True, None, None)),
        ({"cf-aig-skip-cache": "true"}, (False, False, None, None)),
        ({"cf-aig-cache-ttl": "60"}, (True, True, None, 60.0)),
        ({"x-bf-cache-ttl": "2m"}, (True, True, None, 120.0)),
        ({"x-bf-cache-ttl": "2m", "x-tidegate-cache-ttl": "30"}, (True, True, None, 30.0)),
        ({"x-bf-cache-no-store": "true"}, (True, False, None, None)),
        ({"helicone-cache-enabled": "false"}, (False, False, None, None)),
        ({"helicone-cache-enabled": "true"}, (True, True, None, None)),
        ({"cf-aig-cache-ttl": "a while"}, (True, True, None, None)),
    ],
)
def test_headers_say_what_they_say_elsewhere(headers: dict[str, str], expected: Any) -> None:
    assert facts(told(headers)) == expected


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({}, 0.0),
        ({"x-bf-cache-threshold": "0.9"}, 0.9),
        ({"x-bf-cache-threshold": "0.9", "x-tidegate-cache-threshold": "0.95"}, 0.95),
        ({"x-bf-cache-threshold": "high"}, 0.0),
        ({"x-bf-cache-threshold": "1.1"}, 0.0),
    ],
)
def test_a_threshold_may_be_asked_for(headers: dict[str, str], least: float) -> None:
    assert told(headers).least_score == least


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ({}, (True, True, None, None)),
        ({"no-cache": True}, (False, True, None, None)),
        ({"no-store": True}, (True, False, None, None)),
        ({"ttl": 300, "s-maxage": 60}, (True, True, 60.0, 300.0)),
        ({"use-cache": False}, (False, False, None, None)),
        ({"ttl": True, "no-cache": "yes"}, (True, True, None, None)),
    ],
)
def test_litellms_member_is_read_and_taken_out(cache: Any, expected: Any) -> None:
    assert facts(told(cache=cache)) == expected


@pytest.mark.parametrize("value", [b"a=" + b" " * 8000 + b'"x"y', b"a" * 8000 + b";", b"," * 8000])
def test_no_header_is_long_to_read(value: bytes) -> None:
    """What takes time by the square or cube of its length would hold the loop for minutes."""
    ask = Ask("chat", b"{}", {}, "m")
    assert facts(directives({b"cache-control": value + b", no-store"}, ask))[1] is False


@pytest.mark.parametrize("cache", [b'"ephemeral"', b'{"type":"exact_match"}', b"null", b"[1]"])
def test_a_member_of_that_name_that_is_another_thing_stays(cache: bytes) -> None:
    ask = Ask("chat", b"{}", {"cache": Raw(cache)}, "m")
    assert facts(directives({}, ask)) == (True, True, None, None)
    assert bytes(ask.members["cache"]) == cache


@pytest.mark.parametrize(
    "headers",
    [
        {"x-tidegate-cache": "sometimes"},
        {"x-tidegate-cache": "max-age=soon"},
        {"x-tidegate-cache": ""},
        {"x-tidegate-cache-ttl": "a while"},
        {"x-tidegate-cache-namespace": "x" * 300},
        {"x-tidegate-cache-namespace": ""},
        {"x-tidegate-cache-threshold": "high"},
        {"x-tidegate-cache-threshold": "2"},
        {"x-tidegate-cache-tags": "a,,b"},
    ],
)
def test_a_header_of_ours_that_cannot_be_read_is_refused(headers: dict[str, str]) -> None:
    [name] = headers
    with pytest.raises(Refusal) as refused:
        told(headers)
    assert refused.value.param == name


def test_each_name_of_a_namespace_sets_apart() -> None:
    names = (
        *("x-tidegate-cache-namespace", "x-portkey-cache-namespace", "helicone-cache-seed"),
        *("cf-aig-cache-key", "x-bf-cache-key"),
    )
    found = [told({name: "mine"}).namespace for name in names]
    found += [told(cache={"namespace": "mine"}).namespace, told().namespace]
    assert len(set(found)) == len(found)


@given(st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9))
def test_two_namespaces_are_two(one: str, other: str) -> None:
    first, second = (told(cache={"namespace": name}).namespace for name in (one, other))
    assert (first == second) is (one == other)
