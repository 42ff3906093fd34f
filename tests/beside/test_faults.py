"""What each error of any-llm comes to, and that none quotes the credential."""

from typing import Any

import msgspec
import pytest
from tests.beside.fake import AnyLLMError

from tidegate.beside.asking import WrongRequest
from tidegate.beside.faults import fault_of
from tidegate.core.secret import Secret
from tidegate.providers.any_llm import plug

KEY = Secret("sk-canary-Q7mZp2Lx9")


def named(name: str, base: type[Exception] = AnyLLMError) -> Any:
    return type(name, (base,), {})


@pytest.mark.parametrize(
    ("name", "fields", "status", "kind", "code"),
    [
        ("RateLimitError", {}, 429, "rate_limited", "upstream_rate_limited"),
        ("AuthenticationError", {}, 401, "unavailable", "upstream_auth"),
        ("MissingApiKeyError", {}, 401, "unavailable", "upstream_auth"),
        ("InvalidRequestError", {}, 400, "rejected", "rejected_by_provider"),
        ("ContextLengthExceededError", {}, 400, "overflow", "context_length_exceeded"),
        ("ContentFilterError", {}, 400, "refused_by_safety", "rejected_by_provider"),
        ("ProviderError", {}, 502, "unavailable", "upstream_error"),
        ("ProviderError", {"status_code": 503}, 503, "unavailable", None),
        ("ProviderError", {"status_code": 200}, 502, "unavailable", "upstream_error"),
        ("GatewayTimeoutError", {}, 504, None, None),
    ],
)
def test_the_gateway_takes_it_for_what_it_is(
    name: str, fields: Any, status: int, kind: str | None, code: str | None
) -> None:
    fault = fault_of(named(name)("it failed", **fields), KEY)
    assert fault.status == status
    failure = plug.fault(fault.status, {}, fault.body)
    assert kind is None or failure.kind == kind
    assert code is None or failure.code.name == code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ImportError("install any-llm-sdk[watsonx]"), 503, "provider_not_installed"),
        (TimeoutError(), 504, None),
        (KeyError("x"), 502, None),
        (WrongRequest("no", "unsupported_parameter", "x"), 400, "unsupported_parameter"),
        (WrongRequest("no", "not_found", status=404), 404, "not_found"),
    ],
)
def test_other_errors(error: Exception, status: int, code: str | None) -> None:
    fault = fault_of(error, None)
    told = msgspec.json.decode(fault.body)["error"]
    assert (fault.status, told["code"]) == (status, code)
    assert told["message"]


def test_a_request_that_any_llm_cannot_read_is_its_callers_mistake() -> None:
    error = named("ValidationError", ValueError)("temperature: no")
    error.title = "CompletionParams"
    assert fault_of(error, None).status == 400
    error.title = "ChatCompletion"  # what a provider has answered
    assert fault_of(error, None).status == 502


@pytest.mark.parametrize("before", [8, 1990])
def test_the_credential_is_not_told(before: int) -> None:
    fault = fault_of(named("AuthenticationError")("x" * before + KEY.reveal() + "!"), KEY)
    assert b"sk-canary" not in fault.body


def test_when_to_come_again_is_passed_on() -> None:
    assert fault_of(named("RateLimitError")("no", retry_after="7"), None).retry_after == "7"
    assert (
        fault_of(named("RateLimitError")("no", retry_after="7\r\nx: y"), None).retry_after is None
    )
