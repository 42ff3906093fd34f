"""Google's words for an end: each has one meaning here, and every one that it documents has one."""

from tidegate.core.spoken import FINISH_REASONS
from tidegate.providers._gemini_wire import FAILURES, REASONS, decode

# The values of FinishReason in Google's SDK google-genai 3.4.0, but for those that say nothing.
DOCUMENTED = {
    *("STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "SPII"),
    *("PROHIBITED_CONTENT", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "IMAGE_OTHER", "NO_IMAGE"),
    *("IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "UNEXPECTED_TOOL_CALL", "ESCALATION"),
    *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "MODEL_ARMOR"),
    *("PUP_LIMITED_DISABLED", "CONTINUATION"),
}


def test_every_documented_end_has_one_meaning() -> None:
    assert REASONS.keys() | FAILURES.keys() == DOCUMENTED
    assert not REASONS.keys() & FAILURES.keys()
    assert set(REASONS.values()) <= FINISH_REASONS.keys()


def test_what_a_response_leaves_out_is_told_from_what_it_says() -> None:
    nothing = decode(b"{}")
    assert (nothing.candidates, nothing.prompt_feedback, nothing.error) == ([], None, None)
    assert bytes(nothing.usage_metadata) == b"null"
    (candidate,) = decode(b'{"candidates":[{"content":{"role":"model"}}],"new":1}').candidates
    assert (candidate.index, candidate.finish_reason) == (0, None)
    assert candidate.content is not None
    assert candidate.content.parts == []
