"""What Bedrock's errors mean, by their type first and by their status last."""

import msgspec
import pytest
from tests.providers.bedrock_wire import BYTES, operation

from tidegate.providers._bedrock_error import failure_in_stream, fault

NOW_S = 1_700_000_000.0


def meant(name: str, status: int = 400, body: bytes = b"{}") -> tuple[str, str, int]:
    failure = fault(status, {"x-amzn-errortype": name, "retry-after": "7"}, body, NOW_S)
    return failure.kind, failure.code.name, failure.status


@pytest.mark.parametrize(
    ("name", "kind", "code", "status"),
    [
        ("ThrottlingException", "rate_limited", "upstream_rate_limited", 429),
        ("ServiceQuotaExceededException", "rate_limited", "upstream_rate_limited", 429),
        ("ModelNotReadyException", "unavailable", "upstream_overloaded", 503),
        ("ServiceUnavailableException", "unavailable", "upstream_overloaded", 503),
        ("ModelTimeoutException", "timeout", "upstream_timeout", 504),
        ("InternalServerException", "unavailable", "upstream_error", 502),
        ("ModelErrorException", "unavailable", "upstream_error", 502),
        ("ResourceNotFoundException", "unavailable", "upstream_error", 502),
        ("AccessDeniedException", "unavailable", "upstream_auth", 502),
        ("UnrecognizedClientException", "unavailable", "upstream_auth", 502),
        ("ExpiredTokenException", "unavailable", "upstream_auth", 502),
        ("InvalidSignatureException", "unavailable", "upstream_auth", 502),
        ("MissingAuthenticationTokenException", "unavailable", "upstream_auth", 502),
        ("ValidationException", "rejected", "rejected_by_provider", 400),
    ],
)
def test_a_type_says_more_than_a_status(name: str, kind: str, code: str, status: int) -> None:
    address = ":http://internal.amazon.com/coral/com.amazon.bedrock/"
    for written in (name, name + address, f"com.amazon.bedrock#{name}"):
        for its_own in (400, 403, 424, 429, 500):
            assert meant(written, its_own) == (kind, code, status)


def test_every_error_that_aws_knows_has_a_meaning() -> None:
    for name in ("Converse", "ConverseStream"):
        for shape in operation(name).error_shapes:
            assert meant(shape.name, 418) != meant("", 418) or shape.name == "ValidationException"


def test_the_type_may_be_in_the_body() -> None:
    body = b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"expired"}'
    assert fault(400, {}, body, NOW_S).code.name == "upstream_auth"


@pytest.mark.parametrize(
    "message",
    [
        "Input is too long for requested model.",
        "The model returned the following errors: prompt is too long: 209353 tokens > 200000",
        "The model returned the following errors: input length and `max_tokens` exceed context "
        "limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again",
        "Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
        "400 Bad Request: Too many input tokens. Max input tokens: 8192, request: 9000",
        "This model's maximum context length is 8192 tokens. Please reduce the prompt",
    ],
)
def test_too_long_a_context_is_told_apart(message: str) -> None:
    body = f'{{"message":"{message}"}}'.encode()
    headers = {"x-amzn-errortype": "ValidationException"}
    failure = fault(400, headers, body, NOW_S)
    assert (failure.kind, failure.code.name) == ("overflow", "context_length_exceeded")
    assert failure_in_stream("validationException", body).kind == "overflow"


def test_a_caller_reads_what_was_wrong_and_no_secret() -> None:
    body = b'{"message":"messages.0: bad AKIAIOSFODNN7EXAMPLE"}'
    failure = fault(400, {"x-amzn-errortype": "ValidationException"}, body, NOW_S)
    assert failure.message == "messages.0: bad [redacted]"
    capital = fault(400, {"x-amzn-errortype": "ValidationException"}, b'{"Message":"no"}', NOW_S)
    assert capital.message == "no"


def test_a_refused_signature_does_not_quote_what_was_signed() -> None:
    body = b'{"message":"The Canonical String should have been x-amz-security-token:6e86291e"}'
    failure = fault(403, {"x-amzn-errortype": "InvalidSignatureException"}, body, NOW_S)
    assert "6e86291e" not in failure.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("InvalidSignatureException", "Signature expired: 20261121T150000Z is now earlier than"),
        ("InvalidSignatureException", "Signature not yet current: 20261121T170000Z is still later"),
        ("RequestTimeTooSkewed", "x"),
    ],
)
def test_a_clock_that_is_wrong_is_told_apart_from_a_key(name: str, message: str) -> None:
    body = f'{{"message":"{message}"}}'.encode()
    failure = fault(403, {"x-amzn-errortype": name}, body, NOW_S)
    assert failure.code.name == "upstream_auth" and "clock" in failure.message
    other = fault(403, {"x-amzn-errortype": name}, b'{"message":"does not match"}', NOW_S)
    assert ("clock" in other.message) == (name == "RequestTimeTooSkewed")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, "rejected"), (403, "unavailable"), (404, "unavailable"), (429, "rate_limited")),
        *((500, "unavailable"), (503, "unavailable"), (504, "timeout")),
    ],
)
def test_without_a_type_the_status_speaks(status: int, kind: str) -> None:
    for body in ((BYTES / "error.json").read_bytes(), b"", b"\xff", b"[]", b"{" * 100_000):
        for headers in ({}, {"x-amzn-errortype": "YetToComeException"}):
            assert fault(status, headers, body, NOW_S).kind == kind


def test_only_who_may_come_back_is_told_when() -> None:
    for name, wait_s in (("ThrottlingException", 7.0), ("ModelNotReadyException", 7.0)):
        failure = fault(429, {"x-amzn-errortype": name, "retry-after": "7"}, b"", NOW_S)
        assert failure.retry_after_s == wait_s
    no = fault(403, {"x-amzn-errortype": "AccessDeniedException", "retry-after": "7"}, b"", NOW_S)
    assert no.retry_after_s is None


def test_a_prompt_that_its_filters_block_is_told_apart() -> None:
    told = "This request has been blocked by our content filters."
    body = msgspec.json.encode({"message": told})
    failure = fault(400, {"x-amzn-errortype": "ValidationException"}, body, NOW_S)
    assert (failure.kind, failure.code.name) == ("refused_by_safety", "rejected_by_provider")
