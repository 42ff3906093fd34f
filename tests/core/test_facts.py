import pytest

from tidegate.core.facts import Dialects, Facts, Quote
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
