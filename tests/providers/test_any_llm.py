"""Providers by any-llm: one more server of OpenAI's wire, on this machine, that is paid for."""

from tidegate.core import plugs
from tidegate.providers.any_llm import plug


def test_it_is_asked_on_this_machine_and_paid_for() -> None:
    assert plugs.load("providers", "any_llm") is plug
    assert plug.base_url == "http://127.0.0.1:4011/v1" and plug.hosted
    assert plug.endpoints == {"chat", "embeddings"}
    assert plug.credential_header("k") == ("authorization", "Bearer k")
