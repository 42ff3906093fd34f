"""Answers: JSON or plain text, never cached, never sniffed."""

from tidegate.control.errors import ApiError
from tidegate.control.respond import Text, answer, refusal


def test_headers_forbid_caching_sniffing_and_script() -> None:
    for response in (answer({}), answer(Text(b"x")), refusal(ApiError("not_found", "no"))):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"] == "default-src 'none'"
        assert "html" not in response.headers["content-type"]


def test_refusals_say_how_to_authenticate_and_when_to_come_back() -> None:
    assert refusal(ApiError("missing_token", "no")).headers["www-authenticate"] == "Bearer"
    limited = refusal(ApiError("too_many_failures", "no", retry_after_s=0.2))
    assert limited.headers["retry-after"] == "1"
