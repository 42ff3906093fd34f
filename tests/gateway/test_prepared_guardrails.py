"""What is looked for as a stream comes, what at its end, and what keeps it back until then."""

from msgspec.structs import replace
from tests.gateway.guarded import INJECTION, PII, STOP, with_guardrails
from tests.gateway.rig import plan_of, target
from tests.gateway.test_guarded_texts import looking

from tidegate.core.guardrail import SentenceBuffer
from tidegate.gateway.prepared_guardrails import guardrails_of, is_remote, prepare_guardrails


def test_what_marks_only_and_what_judges_the_whole_looks_at_the_end() -> None:
    at = looking(PII, replace(STOP, action="mark"), replace(INJECTION, action="mark"))
    assert [it.guardrail.name for it in at.running] == ["pii"]
    assert [it.guardrail.name for it in at.at_end] == ["words", "injection"]
    assert not at.withholds and looking(INJECTION).withholds and not looking(STOP).withholds


def test_one_automaton_knows_what_any_of_them_may_find() -> None:
    may_have = looking(PII, STOP).may_have
    assert [may_have(it) for it in ("a@x.org", "FALCON", "a fine day")] == [True, True, False]


def test_a_route_without_any_has_none() -> None:
    assert prepare_guardrails(None, None, {}) is None
    only = prepare_guardrails(None, SentenceBuffer(), {})
    assert only is not None and only.input is None and only.output is None


def test_each_of_a_plan_is_there_once() -> None:
    plan = with_guardrails(plan_of(target(1, "a"), target(1, "b")), [PII], [PII, STOP])
    assert guardrails_of(plan) == [PII, STOP]
    assert not is_remote(PII) and is_remote(replace(PII, kind="http"))
