"""What a provider of OpenAI's shape does unless it says otherwise."""

from tests.providers.family import ALIKE

from tidegate.core import plugs
from tidegate.providers._manners import Manners


def test_the_usual_ones_are_openai_s_less_what_only_some_have() -> None:
    usual = Manners()
    assert (usual.ceiling, usual.seed, usual.must_call) == ("max_tokens", "seed", "required")
    assert (usual.reasoning, usual.switch, usual.top_k, usual.metadata) == (
        None,
        None,
        False,
        False,
    )


def test_who_reads_one_ceiling_reads_max_tokens() -> None:
    for name in ALIKE:
        plug = plugs.load("providers", name)
        assert not plug.one_ceiling or plug.manners.ceiling == "max_tokens"
