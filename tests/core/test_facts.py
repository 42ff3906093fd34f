import pytest

from tidegate.core.facts import Checks, Dialects, Facts, Quote
from tidegate.core.plugs import PlugError


def test_a_dialect_is_what_its_plug_says():
    dialects = Dialects()
    assert "openai" in dialects.names()
    assert dialects.get("openai").hosted and not dialects.get("vllm").hosted
    assert dialects.get("bedrock").signs and not dialects.get("openai").signs
    with pytest.raises(PlugError):
        dialects.get("nowhere")


def test_facts_of_which_nothing_is_said_are_the_plugs():
    facts = Facts(lambda *_: Quote())
    assert facts.dialects.names() == Dialects().names()


def test_what_is_wrong_with_a_schema_or_a_pattern_is_said_in_words():
    checks = Checks()
    assert checks.wrong_schema("{}") is None and checks.wrong_regex("^a") is None
    assert "not JSON" in (checks.wrong_schema("{") or "")
    assert "regex" in (checks.wrong_regex("(") or "")
