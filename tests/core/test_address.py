import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.address import Listen, parse_host, parse_listen, parse_origin, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8000/v1", ("http", "127.0.0.1", 8000, "/v1")),
        ("https://api.openai.com/v1/", ("https", "api.openai.com", 443, "/v1")),
        ("http://host", ("http", "host", 80, "")),
        ("http://host/", ("http", "host", 80, "")),
        ("http://[::1]:9/v1", ("http", "::1", 9, "/v1")),
        ("http://vllm_0.svc.cluster.local:8000", ("http", "vllm_0.svc.cluster.local", 8000, "")),
        ("HTTPS://Host/a/b", ("https", "host", 443, "/a/b")),
    ],
)
def test_a_url_in_parts(text, expected):
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host:8000",
        "ftp://host",
        "http://",
        "http:///v1",
        "http://u@host",
        "http://u:p@host",
        "http://host?x",
        "http://host/#x",
        "http://host?",
        "http://host:0",
        "http://host:",
        "http://host:65536",
        "http://host:x",
        "http://256.1.1.1",
        "http://1.2.3",
        "http://[::1",
        "http://[1.2.3.4]/v1",
        "http://[fe80::1%25eth0]/",
        "http://-a/",
        "http://a..b/",
        "http://host/a//b",
        "http://host/../v1",
        "http://host/v1\r\nx: y",
        "http://ho st/",
        "http://höst/",
        "http://" + "a" * 300,
        "http://host/" + "a" * 3000,
    ],
)
def test_what_is_no_url_here(text):
    with pytest.raises(ValueError, match="URL"):
        parse_url(text)


def test_a_refused_url_is_not_repeated():
    with pytest.raises(ValueError) as refused:
        parse_url("http://user:hunter2@host")
    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=60) | st.text("htps:/[]@.%?#0a-", max_size=40).map(lambda t: "http:" + t))
def test_any_text_is_a_url_or_a_value_error(text):
    try:
        url = parse_url(text)
    except ValueError:
        return
    assert parse_url(f"{url.scheme}://{url.authority}{url.path}") == url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:4000", Listen("127.0.0.1", 4000)),
        ("[::1]:0", Listen("::1", 0)),
        ("localhost:80", Listen("localhost", 80)),
    ],
)
def test_a_listener(text, expected):
    assert parse_listen(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text", ["", "4000", ":4000", "::1:4000", "host:", "host:70000", "[host]:1", "a b:1", "1.2.3:4"]
)
def test_what_is_no_listener(text):
    with pytest.raises(ValueError, match="host"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Ops.Example.com", "ops.example.com"), ("::1", "::1"), ("10.0.0.1",) * 2],
)
def test_a_host(text, expected):
    assert parse_host(text) == expected


@pytest.mark.parametrize("text", ["", "a:80", "[::1]", "http://a", "a/b", "*.example.com"])
def test_what_is_no_host(text):
    with pytest.raises(ValueError, match="without port"):
        parse_host(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://Ops.example.com", "https://ops.example.com"),
        ("https://ops:443", "https://ops"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_as_browsers_write_it(text, expected):
    assert parse_origin(text) == expected


@pytest.mark.parametrize("text", ["ops.example.com", "https://ops/", "https://ops/x", "*", "null"])
def test_what_is_no_origin(text):
    with pytest.raises(ValueError, match=r"origin|URL"):
        parse_origin(text)
