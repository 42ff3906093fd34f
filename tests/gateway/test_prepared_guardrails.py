"""What is looked for as a stream comes, what at its end, and what keeps it back until then."""

from msgspec.structs import replace
from tests.gateway.guarded import INJECTION, PII, STOP, with_guardrails
from tests.gateway.rig import plan_of, target
from tests.gateway.test_guarded_texts import looking

from tidegate.core.guardrail import Guardrail, RouteGuardrails, SentenceBuffer
from tidegate.gateway.guard_check import Check
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


def test_an_address_is_asked_by_the_sentence_where_nothing_else_holds_the_stream() -> None:
    def prepared(*out: Guardrail, buffer: SentenceBuffer | None = None) -> tuple[bool, bool]:
        checks = {it: Check(it, *[None] * 3) for it in out if it.kind == "http"}  # type: ignore[misc]
        made = prepare_guardrails(RouteGuardrails((), out), buffer, checks)
        assert made is not None and made.output is not None
        return made.output.withholds, made.output.asks_by_sentence

    one = Guardrail("a", "http", "block", url="https://x.example", by_sentence=True)
    whole = replace(one, name="b", by_sentence=False)
    assert prepared(one, PII, buffer=SentenceBuffer()) == (False, True)
    assert prepared(one) == (True, False)
    assert prepared(one, whole, buffer=SentenceBuffer()) == (True, False)
    assert prepared(one, INJECTION, buffer=SentenceBuffer()) == (True, False)
    assert prepared(STOP, buffer=SentenceBuffer()) == (False, False)
