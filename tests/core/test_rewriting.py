"""What guardrails make of texts fits what dialects ask for."""

from tests.gateway.test_guarded_texts import fresh

from tidegate.core.rewriting import Texts


def test_a_call_is_cleaned_as_json() -> None:
    texts: Texts = fresh()
    assert texts.called(0, 0, "f", '{"n": 1, "to": "a@x.org"}') == '{"n":1,"to":"<EMAIL_1>"}'
    assert texts.called(0, 0, "f", '{"n": 1}') == '{"n": 1}'
    assert texts.called(0, 0, "f", "to a@x.org") == "to <EMAIL_1>"
