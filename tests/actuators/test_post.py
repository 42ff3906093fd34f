"""A post goes to the declared address and nowhere else, and says what became of it."""

import ssl

import pytest
from tests.actuators.receivers import DRIP, HANG_UP, LOSE_ANSWER, Http, running

from tidegate.actuators import _dial
from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place

HERE = Place(DeclaredWay("webhook", private=True), Secret("hush"))


def refused(http: Http, to: Place = HERE) -> NotDelivered:
    with pytest.raises(NotDelivered) as failed:
        post(Post(f"{http.url}/x", b"body", {"a": "b"}), to)
    assert "hush" not in str(failed.value) and "body" not in str(failed.value)
    return failed.value


def test_it_posts_json(http: Http) -> None:
    post(Post(f"{http.url}/x/y", b"{}", {"a": "b"}), HERE)
    (taken,) = http.taken
    assert (taken.method, taken.path, taken.body) == ("POST", "/x/y", b"{}")
    assert taken.headers["content-type"] == "application/json"
    assert (taken.headers["a"], taken.headers["host"]) == ("b", f"127.0.0.1:{http.port}")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(http: Http, status: int) -> None:
    with running(other := Http()):
        http.faults, http.headers = [status], [f"location: {other.url}/"]
        assert str(status) in str(refused(http))
        assert other.asked == []
    assert len(http.asked) == 1


@pytest.mark.parametrize(
    ("status", "final"), [(400, True), (413, True), (422, True), (401, False), (500, False)]
)
def test_a_status_that_is_no_receipt_is_told_with_what_was_said(
    http: Http, status: int, final: bool
) -> None:
    http.faults, http.said = [status], b"no \x1b[2J hush " + b"x" * 500
    why = refused(http)
    assert (why.final, why.unknown) == (final, False)
    assert f"status {status}: no ?[2J [redacted] xxx" in str(why)
    assert len(str(why)) < 200


@pytest.mark.parametrize(
    ("text", "wait_s"), [("7", 7.0), ("Wed, 21 Oct", None), ("-1", None), ("9" * 9, None)]
)
def test_how_long_to_wait_is_read(http: Http, text: str, wait_s: float | None) -> None:
    http.faults, http.headers = [429], [f"retry-after: {text}"]
    assert refused(http).retry_after_s == wait_s


@pytest.mark.parametrize("fault", [LOSE_ANSWER, HANG_UP])
def test_an_answer_that_is_lost_leaves_it_unknown(http: Http, fault: str) -> None:
    http.faults = [fault]
    why = refused(http)
    assert why.unknown and "no answer" in str(why)


def test_an_answer_that_never_ends_is_cut_off(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dial.Line.__init__, "__defaults__", (0.1,))
    http.faults = [DRIP]
    assert refused(http).unknown


def test_what_cannot_be_reached_is_known_not_to_have_arrived(http: Http) -> None:
    assert not refused(http, Place(DeclaredWay("webhook"))).unknown
    for url in ("http://[", "ftp://x/", "http://a:b@c/", "http://x/?q"):
        with pytest.raises(NotDelivered) as failed:
            post(Post(url, b""), HERE)
        assert not failed.value.unknown
    assert http.asked == []


def test_tls_is_spoken_and_checked(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with running(http := Http(server_tls)):
        to = Place(DeclaredWay("webhook", private=True, ca_file=ca_file))
        post(Post(f"https://127.0.0.1:{http.port}/x", b"{}"), to)
        with pytest.raises(NotDelivered, match="no TLS") as failed:
            post(Post(f"https://127.0.0.1:{http.port}/x", b"{}"), HERE)
    assert len(http.taken) == 1
    assert not failed.value.unknown


def test_a_proxy_of_the_environment_is_used(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:pass@127.0.0.1:{http.port}")
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{http.port}")
    monkeypatch.setenv("no_proxy", "inside.example")
    plain = Place(DeclaredWay("webhook"))
    post(Post("http://hooks.example.com/x", b"{}"), plain)
    (taken,) = http.taken
    assert taken.path == "http://hooks.example.com:80/x"
    assert taken.headers["proxy-authorization"] == "Basic bWU6cGFzcw=="
    http.faults = [403]
    with pytest.raises(NotDelivered, match="the proxy says status 403"):
        post(Post("https://hooks.example.com/x", b"{}"), plain)
    assert (http.asked[1].method, http.asked[1].path) == ("CONNECT", "hooks.example.com:443")
    with pytest.raises(NotDelivered, match="never"):
        post(Post("http://169.254.169.254/x", b"{}"), plain)
    with pytest.raises(NotDelivered, match="not found"):
        post(Post("http://inside.example/x", b"{}"), plain)
    assert len(http.asked) == 2


def test_a_proxy_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(NotDelivered, match="proxy"):
        post(Post("http://hooks.example.com/x", b"{}"), HERE)
