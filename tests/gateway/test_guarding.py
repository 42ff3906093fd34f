"""What is found is counted by guardrail, type and action, never by its text."""

import pytest
from tests.gateway.test_guarded_texts import looking

from tidegate.core.guardrail import MOST_HITS, Guardrail
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.restoring import restored

PII = Guardrail("pii", "pii", "redact", restores=True)


def guarding() -> Guarding:
    return Guarding(Receipt("r", 0.0, "g", "chat"))


def test_only_what_was_in_a_request_is_given_back() -> None:
    it = guarding()
    assert it.placeholder(PII, "input", "email", "a@x.org") == "<EMAIL_1>"
    assert it.placeholder(PII, "output", "email", "a@x.org") == "<EMAIL_1>"
    assert it.placeholder(PII, "output", "e-mail!", "b@x.org") == "<E_MAIL_1>"
    assert it.restored == {"<EMAIL_1>": "a@x.org"}


def test_what_a_request_has_written_itself_stands_for_nothing_else() -> None:
    body = (
        rb'{"x": "I wrote to <EMAIL_1>, \u003cEMAIL_3\u003e and \\u003cEMAIL_4\\u003e, <PHONE_2>"}'
    )
    it = Guarding(Receipt("r", 0.0, "g", "chat"), body)
    assert it.placeholder(PII, "input", "email", "a@x.org") == "<EMAIL_2>"
    assert it.placeholder(PII, "output", "email", "b@x.org") == "<EMAIL_5>"
    assert it.restored == {"<EMAIL_2>": "a@x.org"}


def test_what_one_guardrail_has_counted_another_may_give_back() -> None:
    it = Guarding(Receipt("r", 0.0, "g", "chat"), b"<EMAIL_2>")
    own = Guardrail("own", "patterns", "redact")
    assert it.placeholder(own, "input", "email", "a") == "<EMAIL_1>"
    assert it.placeholder(PII, "input", "email", "b") == "<EMAIL_3>"


@pytest.mark.parametrize("written", [b"", b"<EMAIL_999999>", b"<2FA_999999>"])
@pytest.mark.parametrize("kind", ["email", "2fa", "a very long name of a type " * 9])
def test_whatever_a_type_is_called_its_thing_is_given_back(kind: str, written: bytes) -> None:
    it = Guarding(Receipt("r", 0.0, "g", "chat"), written)
    placeholder = it.placeholder(PII, "input", kind, "it")
    assert restored(f"say {placeholder}.", it.restored) == "say it."


def test_two_types_whose_names_look_alike_are_told_apart() -> None:
    it = guarding()
    names = [it.placeholder(PII, "input", kind, "1") for kind in ("staff-id", "staff_id")]
    assert names == ["<STAFF_ID_1>", "<STAFF_ID_2>"]


def test_hits_are_bounded_and_counted() -> None:
    it = guarding()
    for number in range(2 * MOST_HITS):
        it.note(PII, "input", f"t{number}", "mark")
    it.note(PII, "input", "t0", "mark")
    assert len(it.hits) == MOST_HITS and it.hits[0].count == 2
    with it.silent():
        it.note(PII, "input", "t0", "mark")
    assert it.hits[0].count == 2


def test_of_what_overlaps_the_gravest_counts() -> None:
    mark = Guardrail("a", "patterns", "mark", patterns=(("m", "falcon crest"),))
    stop = Guardrail("b", "words", "block", words=("crest",))
    it = guarding()
    with pytest.raises(Refusal, match="'b'"):
        it.clean("the falcon crest", looking(mark, stop))
    redact = Guardrail("b", "words", "redact", words=("crest",))
    assert guarding().clean("the falcon crest x", looking(mark, redact)) == "the <WORD_1> x"


def test_a_guardrail_that_fails_refuses_or_lets_pass() -> None:
    class Broken:
        hints = ()
        judges_whole = False

        def find(self, text: str) -> list[tuple[int, int, str]]:
            raise RuntimeError("secret text")

        def settled(self, text: str, since: int) -> int:
            return len(text)

    at = looking(PII)
    for on_error in ("open", "closed"):
        it, broken = guarding(), Guardrail("x", "pii", "block", on_error=on_error)  # type: ignore[arg-type]
        guard = type(at.every[0])(broken, Broken(), None)
        if on_error == "open":
            assert it.look("a", [guard], "input") == []
        else:
            with pytest.raises(Refusal, match=r"could not look .* \(error\)") as no:
                it.look("a", [guard], "input")
            assert no.value.code.name == "guardrail_unavailable"
        assert [(hit.action, hit.type) for hit in it.hits] == [("failed", "error")]


def test_the_letter_of_an_escape_is_no_part_of_what_is_found() -> None:
    assert guarding().clean('{"to": "x\\na@x.org"}', looking(PII)) == '{"to": "x\\n<EMAIL_1>"}'


def test_of_two_that_are_redacted_and_overlap_nothing_is_left() -> None:
    first = Guardrail("a", "words", "redact", words=("the falcon",))
    second = Guardrail("b", "words", "redact", words=("falcon crest",))
    assert guarding().clean("see the falcon crest", looking(first, second)) == "see <WORD_1>"
