import email.utils
import gzip

import msgspec
import pytest

from tidegate.core import clock
from tidegate.sim import faults
from tidegate.sim.script import parse_line

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 0},
}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("usage:missing", []),
        ("usage:twice", [USAGE, USAGE]),
        ("usage:zero", [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}]),
        ("doubled:reported", [{**USAGE, "completion_tokens": 10, "total_tokens": 20}]),
        ("doubled:produced", [USAGE]),
        ("cut:1", [USAGE]),
    ],
)
def test_usage_is_told_as_the_fault_says(line, told):
    assert faults.usage_reports(parse_line(line), USAGE) == told


def test_contradictory_usage_contradicts_itself():
    (told,) = faults.usage_reports(parse_line("usage:contradictory"), USAGE)
    assert told["total_tokens"] < told["prompt_tokens"]
    assert told["prompt_tokens_details"]["cached_tokens"] > told["prompt_tokens"]


@pytest.mark.parametrize(("line", "sign"), [("usage:negative", -1), ("usage:huge", 1)])
def test_absurd_usage_is_absurd_everywhere(line, sign):
    (told,) = faults.usage_reports(parse_line(line), USAGE)
    assert all(value * sign > 0 for value in told.values())


@pytest.mark.parametrize(
    ("line", "retry_after"),
    [
        ("status:429", None),
        ("status:429 retry_after=2", "2"),
        ("status:429 retry_after=-5", "-5"),
        ("status:429 retry_after=99999999", "99999999"),
    ],
)
def test_a_status_says_when_to_come_back_or_not(line, retry_after):
    head, body = faults.status_answer(parse_line(line))
    assert head.startswith(b"HTTP/1.1 429 ")
    found = [h for h in head.split(b"\r\n") if h.startswith(b"retry-after: ")]
    assert found == ([] if retry_after is None else [b"retry-after: " + retry_after.encode()])
    assert msgspec.json.decode(body)["error"]["type"] == "rate_limit_error"


def test_a_retry_date_is_counted_from_now():
    head, _ = faults.status_answer(parse_line("status:503 retry_after=date+30"))
    (text,) = [h[13:] for h in head.split(b"\r\n") if h.startswith(b"retry-after: ")]
    at_s = email.utils.parsedate_to_datetime(text.decode()).timestamp()
    assert 25 < at_s - clock.wall_s() < 35


def test_bodies_of_errors():
    assert faults.status_answer(parse_line("status:502 body=html"))[1].startswith(b"<!doctype")
    assert faults.status_answer(parse_line("status:502 body=empty"))[1] == b""
    vllm = msgspec.json.decode(faults.error_payload(parse_line("error shape=vllm")))
    assert (vllm["object"], vllm["code"]) == ("error", 500)


def test_whole_bodies():
    body = b'{"id":"x","n":[1,2,3]}'
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(faults.whole_body(parse_line("malformed"), body))
    assert gzip.decompress(faults.whole_body(parse_line("gzip"), body)) == body
    assert len(gzip.decompress(faults.whole_body(parse_line("gzip:1000000"), body))) == 1_000_000


@pytest.mark.parametrize("line", ["crlf", "comments", "multiline"])
def test_odd_forms_of_an_event_hold_the_same_data(line):
    payload = b'{"id":"x","choices":[]}'
    event = faults.event_bytes(parse_line(line), payload).replace(b"\r\n", b"\n")
    data = [text[5:].removeprefix(b" ") for text in event.split(b"\n") if text.startswith(b"data:")]
    assert msgspec.json.decode(b"\n".join(data)) == msgspec.json.decode(payload)
    assert event != b"data: " + payload + b"\n\n" or line == "crlf"


def test_headers_that_a_fault_adds():
    assert faults.extra_headers(None) == b""
    assert faults.extra_headers(parse_line("headers:3")).count(b"\r\n") == 3
    assert b"set-cookie" in faults.extra_headers(parse_line("inject"))
    assert b"a\nx-smuggled" in faults.extra_headers(parse_line("bad_header"))
