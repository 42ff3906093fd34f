"""What we say ourselves: OpenAI's error shape, and whether and when to try again."""

import msgspec
import pytest
from tests.gateway.http.rig import parse_head

from tidegate.core.outcome import CODES, Excess, Failure, Refusal
from tidegate.gateway.http import answers


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_status_and_says_whether_to_retry(code: str) -> None:
    row = CODES[code]
    status, headers = parse_head(answers.error_head(Refusal(code, "no")) + b"\r\n")
    assert status == row.status
    assert headers[b"x-should-retry"] == (b"true" if row.retry else b"false")
    assert headers[b"content-type"] == b"application/json"
    assert (b"retry-after" in headers) == (row.status in (429, 503) and row.retry)
    assert (b"www-authenticate" in headers) == (row.status == 401)


def test_a_wait_is_told_in_seconds_and_milliseconds() -> None:
    failure = Failure("rate_limited", "upstream_rate_limited", "no", retry_after_s=1.2)
    _, headers = parse_head(answers.error_head(failure) + b"\r\n")
    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (b"2", b"1200")


def test_a_budget_is_not_asked_again_at_once_but_when_it_is_given_anew() -> None:
    spent = Refusal("insufficient_quota", "no", retry_after_s=86_400.0)
    _, headers = parse_head(answers.error_head(spent) + b"\r\n")
    assert (headers[b"retry-after"], headers[b"x-should-retry"]) == (b"86400", b"false")


@pytest.mark.parametrize(("wait_s", "soon"), [(None, True), (60.0, True), (61.0, False)])
def test_nobody_is_told_to_try_again_whose_client_would_wait_for_long(
    wait_s: float | None, soon: bool
) -> None:
    refusal = Refusal("rate_limit_exceeded", "no", retry_after_s=wait_s)
    _, headers = parse_head(answers.error_head(refusal) + b"\r\n")
    assert headers[b"x-should-retry"] == (b"true" if soon else b"false")
    assert b"retry-after" in headers


def test_an_error_has_openais_shape_whole_and_in_a_stream() -> None:
    refusal = Refusal("invalid_parameter", 'no "x"\n', param="n")
    body = answers.error_body(refusal)
    assert msgspec.json.decode(body) == {
        "error": {
            "message": 'no "x"\n',
            "type": "invalid_request_error",
            "param": "n",
            "code": "invalid_parameter",
        }
    }
    assert answers.error_event(refusal) == b"data: " + body + b"\n\n"


def test_a_limit_that_spoke_is_named_in_the_error() -> None:
    excess = Excess("team-tokens", "team growth", 90, 100)
    refusal = Refusal("rate_limit_exceeded", "no", retry_after_s=2.0, excess=excess)
    told = msgspec.json.decode(answers.error_body(refusal))["error"]["limit"]
    assert told == {"limit": "team-tokens", "scope": "team growth", "used": 90, "allowed": 100}


def test_a_bare_refusal_is_whole_and_closes() -> None:
    head, _, body = answers.bare_refusal(Refusal("invalid_http", "no")).partition(b"\r\n\r\n")
    status, headers = parse_head(head)
    assert (status, headers[b"connection"]) == (400, b"close")
    assert int(headers[b"content-length"]) == len(body)


def test_a_status_without_a_name_is_still_a_status_line() -> None:
    assert answers.status_line(299) == b"HTTP/1.1 299 Unknown\r\n"
    assert answers.status_line(404) == b"HTTP/1.1 404 Not Found\r\n"


def test_the_date_is_that_of_http() -> None:
    assert answers.date_header(0.0) == b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
