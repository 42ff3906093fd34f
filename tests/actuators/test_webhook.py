"""What is posted is signed, and says the same at each try."""

import hashlib
import hmac

import msgspec
import pytest
from tests.actuators.messages import NOON_S, ending, many, message
from tests.actuators.receivers import Http

from tidegate.actuators.webhook import body_of, deliver, plug
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place


def test_the_signature_is_over_the_time_and_the_body(http: Http) -> None:
    to = Place(DeclaredWay("webhook", url=f"{http.url}/x", private=True), Secret("hush"))
    plug.send(message(), to, NOON_S + 5.9)
    (taken,) = http.taken
    stamp = taken.headers["x-tidegate-timestamp"]
    signed = hmac.new(b"hush", f"{stamp}.".encode() + taken.body, hashlib.sha256).hexdigest()
    assert stamp == str(int(NOON_S) + 5)
    assert taken.headers["x-tidegate-signature"] == f"v1={signed}"
    assert taken.headers["idempotency-key"] == "m1"
    assert "authorization" not in taken.headers


def test_without_its_secret_nothing_is_sent(http: Http) -> None:
    with pytest.raises(NotDelivered, match="secret"):
        plug.send(message(), Place(DeclaredWay("webhook", url=http.url, private=True)), NOON_S)
    assert http.asked == []


def test_the_body_says_what_it_is_and_what_it_ends() -> None:
    told = msgspec.json.decode(body_of(message()))
    assert (told["type"], told["id"], told["ends"]) == ("notice", "m1", None)
    assert told["notices"][0]["key"] == "burn/chat/ttft"
    over = msgspec.json.decode(body_of(ending(message())))
    assert (over["type"], over["ends"]) == ("resolution", "m1")
    assert over["notices"][0]["resolution"] == "It is back to 1 s."
    storm = body_of(many(200, text="x" * 8000))
    assert len(storm) < 512 * 1024 and len(msgspec.json.decode(storm)["notices"]) == 200


def test_alerts_of_budgets_carry_their_credential_and_may_go_to_a_private_address(
    http: Http,
) -> None:
    deliver(f"{http.url}/x", b'{"a":1}', "id-1", Secret("hush"))
    deliver(f"{http.url}/x", b"{}", "id-2", None)
    first, second = http.taken
    assert (first.method, first.path, first.body) == ("POST", "/x", b'{"a":1}')
    assert first.headers["authorization"] == "Bearer hush"
    assert first.headers["content-type"] == "application/json"
    assert [one.headers["idempotency-key"] for one in http.taken] == ["id-1", "id-2"]
    assert "authorization" not in second.headers


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_a_redirect_is_no_more_a_receipt_than_an_error(http: Http, status: int) -> None:
    http.faults = [status]
    with pytest.raises(NotDelivered, match=str(status)):
        deliver(f"{http.url}/x", b"body", "id", Secret("hush"))


def test_an_address_that_is_none_is_not_delivered_to() -> None:
    for url in ("http://[", "http://169.254.169.254/latest"):
        with pytest.raises(NotDelivered):
            deliver(url, b"", "id", None)
