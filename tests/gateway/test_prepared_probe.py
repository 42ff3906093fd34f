import msgspec
import pytest
from msgspec import structs
from tests.gateway.prepared import prepared
from tests.gateway.rig import target
from tests.providers.chatting import CHATTING

from tidegate.core import plugs
from tidegate.core.probe import Expect, Probe
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Deadlines
from tidegate.gateway import embedding
from tidegate.gateway.entry import dialects
from tidegate.gateway.prepared_probe import ProbeFollowing, prepare_probe
from tidegate.text.json_schema import SchemaProblem


def test_its_deadlines_end_with_it_and_the_target_s_own_stay():
    small = prepared(target(1, deadlines=Deadlines(1.0, 2.0, 3.0, 4.0)))
    asked = prepare_probe(Probe(timeout_s=2.5), small)
    assert asked.target.target.deadlines == Deadlines(1.0, 2.0, 2.5, 2.5)
    assert small.target.deadlines.total_s == 4.0
    assert asked.target.replicas is small.replicas, "the breakers are the same"


def test_the_most_it_can_cost_is_known_where_a_price_is():
    asked = prepare_probe(Probe(max_tokens=10), prepared("small"))
    assert asked.most_nanousd == len(asked.ask.body) * 1_000 + 10 * 2_000
    assert prepare_probe(Probe(), prepared(target(1, price=None))).most_nanousd is None


def test_a_chat_says_how_long_it_may_be_by_our_own_bound():
    ask = prepare_probe(Probe(prompt="so?", max_tokens=7), prepared("small")).ask
    said = msgspec.json.decode(ask.body)
    assert said["messages"] == [{"role": "user", "content": "so?"}] and said["stream"] is True
    assert (ask.output_bound_tokens, "max_tokens" in said) == (7, False)


@pytest.mark.parametrize(
    ("expect", "text", "good"),
    [
        (Expect(contains="a.b <c>"), "xA.B <C>x", True),
        (Expect(contains="a.b"), "acb", False),
        (Expect(regex="^o"), "no", False),
        (Expect(json_schema='{"type":"object"}'), "{}", True),
        (Expect(json_schema='{"type":"object"}'), "[]", False),
        (Expect(json=True), "{", False),
        (Expect(max_length=2), "abc", False),
        (None, "anything", True),
        (None, "", False),
    ],
)
def test_an_answer_is_held_against_what_is_expected(expect, text, good):
    asked = prepare_probe(Probe(expect=expect), prepared("small"))
    following = asked.follow(asked.ask)
    assert isinstance(following, ProbeFollowing)
    failure = following.content(0, text) if text else None
    failure = failure or following.end(truncated=False, called=False, ended_twice=False)
    assert (failure is None) is good


def test_an_embedding_has_no_content_to_judge():
    asked = prepare_probe(Probe(endpoint="embeddings"), prepared("small"))
    assert asked.follow(asked.ask) is None


def test_what_does_not_compile_is_told():
    with pytest.raises(SchemaProblem):
        prepare_probe(Probe(expect=Expect(regex="(")), prepared("small"))


@pytest.mark.parametrize("name", CHATTING)
def test_every_provider_s_wire_has_a_place_for_all_of_it(name):
    provider = plugs.load("providers", name)
    small = structs.replace(prepared(target(1, dialect=name, model="m-1")), provider=provider)
    asked = prepare_probe(Probe(prompt="so?", system="be short", max_tokens=777), small)
    passing = provider.passthrough.get(asked.ask.dialect)
    if passing is not None:
        out = passing.encode(asked.ask, small.target)
    else:
        said = dialects()[asked.ask.dialect].read(asked.ask)
        out = provider.encode_conversation(said, asked.ask, small.target, False)
    assert all(part in out.body for part in (b"so?", b"be short", b"777"))


def test_an_embedding_goes_in_its_provider_s_own_wire_too():
    provider = plugs.load("providers", "gemini")
    small = structs.replace(prepared(target(1, dialect="gemini")), provider=provider)
    asked = prepare_probe(Probe(endpoint="embeddings", prompt="so?"), small)
    receipt = Receipt("", 0.0, "", "embeddings")
    assert b"so?" in embedding.outgoing(asked.ask, small, receipt, drop=False).body
