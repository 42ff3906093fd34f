"""Which proxy the environment names, as the standard library reads it."""

import base64
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.plan import Replica
from tidegate.gateway.http.egress import proxy_for

PLAIN = Replica("r", "http", "engine.example", 8000, "/v1")

SECURE = Replica("r", "https", "api.example", 443, "/v1")


@pytest.mark.parametrize(
    ("environ", "plain", "secure"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "http://p:3128"}, None, ("p", 3128)),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}, None, ("p", 1)),
        ({"http_proxy": "p:8080"}, ("p", 8080), None),
        ({"ALL_PROXY": "http://p"}, ("p", 3128), ("p", 3128)),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "*"}, None, None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "api.example"}, ("p", 3128), None),
        ({"ALL_PROXY": "http://p", "no_proxy": ".example"}, None, None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "engine.example:8000"}, None, ("p", 3128)),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "example.org, other"}, ("p", 3128), ("p", 3128)),
    ],
)
def test_the_environment_says_which_proxy(
    environ: dict[str, str], plain: tuple[str, int] | None, secure: tuple[str, int] | None
) -> None:
    for origin, expected in ((PLAIN, plain), (SECURE, secure)):
        found = proxy_for(origin, environ)
        assert (found and (found.host, found.port)) == expected


def test_a_proxy_with_a_user_is_told_who() -> None:
    found = proxy_for(SECURE, {"HTTPS_PROXY": "http://us%40er:p%3Ass@p:1"})
    assert found is not None
    assert found.authorization == b"Basic " + base64.b64encode(b"us@er:p:ss")


@pytest.mark.parametrize("url", ["socks5://p:1", "https://p:1", "http://", "http://u:p:1/x@p"])
def test_a_proxy_that_is_no_http_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        proxy_for(SECURE, {"HTTPS_PROXY": url})
    assert "p:1" not in str(refused.value)


HOSTS = st.sampled_from(["engine.example", "Engine.Example", "a.b.example", "10.0.0.1", "::1"])
NAMES = st.sampled_from(
    [
        *("example", ".example", "ngine.example", "ENGINE.example", "b.example:8000"),
        *("10.0.0.1:8000", "0.0.1", "*", "::1", ":8000", "", " "),
    ]
)


@given(HOSTS, st.lists(NAMES, max_size=3))
def test_who_is_reached_directly_is_what_the_standard_library_says(
    host: str, names: list[str]
) -> None:
    excluded = ",".join(names)
    environ = {"http_proxy": "http://p", "no_proxy": excluded}
    found = proxy_for(Replica("r", "http", host, 8000, ""), environ)
    direct = proxy_bypass_environment(f"{host}:8000", {"no": excluded})
    assert (found is None) == bool(direct)
