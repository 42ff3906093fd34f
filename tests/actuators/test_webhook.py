"""The webhook tells one address and goes nowhere else."""

import httpx2
import pytest

from tidegate.actuators.webhook import NotDelivered, deliver
from tidegate.core.secret import Secret

URL = "https://hooks.example.com/x"


def test_it_posts_json_with_the_secret_and_a_name_for_the_delivery() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(204)

    deliver(URL, b'{"a":1}', "id-1", Secret("hush"), httpx2.MockTransport(answer))
    deliver(URL, b"{}", "id-2", None, httpx2.MockTransport(answer))
    first, second = seen
    assert (first.method, str(first.url), first.content) == ("POST", URL, b'{"a":1}')
    assert first.headers["authorization"] == "Bearer hush"
    assert first.headers["content-type"] == "application/json"
    assert [request.headers["idempotency-key"] for request in seen] == ["id-1", "id-2"]
    assert "authorization" not in second.headers


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_a_redirect_is_not_followed_and_no_more_a_receipt_than_an_error(status: int) -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(status, headers={"location": "https://elsewhere.example.com/"})

    with pytest.raises(NotDelivered, match=str(status)) as failed:
        deliver(URL, b"body", "id", Secret("hush"), httpx2.MockTransport(answer))
    assert seen == [URL]
    assert "hush" not in str(failed.value) and "body" not in str(failed.value)


def test_an_address_that_is_none_is_not_delivered_to() -> None:
    with pytest.raises(NotDelivered):
        deliver("http://[", b"", "id", None)


def test_an_address_that_is_away_is_not_delivered_to() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(NotDelivered, match="ConnectError"):
        deliver(URL, b"", "id", None, httpx2.MockTransport(answer))
