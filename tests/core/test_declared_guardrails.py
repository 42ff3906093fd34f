"""What a plan says of a buffer is what gateways obey."""

from tidegate.core.declared_guardrails import DeclaredBuffer
from tidegate.core.guardrail import SentenceBuffer


def test_its_defaults_are_those_that_are_obeyed() -> None:
    assert DeclaredBuffer().buffer() == SentenceBuffer()
    assert DeclaredBuffer(max_chars=50, max_wait_s=1.0).buffer() == SentenceBuffer(50, 1.0)
