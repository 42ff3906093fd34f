"""A text in pieces becomes what it is whole, however it is cut; nothing that stops it is out."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.core.guardrail import Guardrail, RouteGuardrails, SentenceBuffer
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.guarded_texts import GuardedTexts
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import Looking, prepare_guardrails

PII = Guardrail("pii", "pii", "redact")
SECRETS = Guardrail("secrets", "secrets", "redact")
WORDS = Guardrail("words", "words", "redact", words=("Project Falcon", "falcon", "blue"))
PATTERNS = Guardrail("own", "patterns", "redact", patterns=(("employee", r"EMP-\d{6}"),))
ALL = (PII, SECRETS, WORDS)
THINGS = (
    "anna.berg@mail.example.org",
    "4111 1111 1111 1111",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "+49 (0)30 901820-11",
    "(415) 555-2671",
    "192.168.0.17",
    "2001:db8:85a3::8a2e:370:7334",
    "853-37-1694",
    "AB 12 34 56 C",
    "sk-proj-aB3dE6gH9jK2mN5pQ8sT",
    "ghp_aB3dE6gH9jK2mN5pQ8sTaB3dE6gH9jK2mN5p",
    "Bearer aB3dE6gH9jK2mN5pQ8sT",
    "password = hunter2Zx9!qLm4",
    "postgres://me:s3cr3tPass9@db/x",
    "passport number is X1234567",
    "Project Falcon",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAKCAQ\n-----END RSA PRIVATE KEY-----",
)
FILLERS = (
    " and ", ". ", "\n", ", call 12 of 34 ", " is ", "\u7535\u8bdd\u662f", " (", ") ", ": ",
    " 2024-03-01 ", " No. 7 ", "@", " 1 2 3 ", "  ", '"', " WEST ", " x", " -", " Falco", "\u00e9 ",
)  # fmt: skip


def looking(*guardrails: Guardrail) -> Looking:
    made = prepare_guardrails(RouteGuardrails((), guardrails), None, {})
    assert made is not None and made.output is not None
    return made.output


LOOKING = looking(*ALL)


def fresh(at: Looking = LOOKING, buffer: SentenceBuffer | None = None) -> GuardedTexts:
    return GuardedTexts(Guarding(Receipt("r", 0.0, "g", "chat")), at, buffer)


def streamed(pieces: Sequence[str], texts: GuardedTexts) -> str:
    channel = texts.channel("content", 0)
    return "".join([channel.add(piece) for piece in pieces]) + channel.end()


def cut(text: str, sizes: Sequence[int]) -> list[str]:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


PAIRS = st.tuples(st.sampled_from(FILLERS), st.sampled_from((*THINGS, "")))
# Two things never stand together without anything between them.
TEXTS = st.lists(PAIRS, max_size=8).map(lambda it: "".join([part for pair in it for part in pair]))
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@given(TEXTS, SIZES)
@example("in 2024 we saw 4111 1111 1111 1111 1111 of them", [1])
@example(" 1 2 3 " * 30 + "4111 1111 1111 1111", [3])
def test_pieces_become_what_the_whole_becomes(text: str, sizes: list[int]) -> None:
    assert streamed(cut(text, sizes), fresh()) == fresh().whole(text)


@pytest.mark.parametrize("thing", THINGS[:-1])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_nothing_of_what_is_found_goes_out(thing: str, size: int) -> None:
    shown = streamed(cut(f"It says {thing} here.", [size]), fresh())
    secret = thing.rsplit(" = ", maxsplit=1)[-1].removeprefix("passport number is ")
    secret = secret.removeprefix("Bearer ")
    secret = secret.removeprefix("postgres://me:").removesuffix("@db/x")
    assert secret not in shown and shown.endswith(" here.")


@given(TEXTS, SIZES)
def test_what_is_blocked_ends_before_anything_of_it_is_out(text: str, sizes: list[int]) -> None:
    stops = looking(Guardrail("words", "words", "block", words=("Project Falcon",)))
    texts = fresh(stops)
    channel, shown = texts.channel("content", 0), ""
    try:
        for piece in cut(text, sizes):
            shown += channel.add(piece)
        shown += channel.end()
    except Refusal as no:
        assert no.code.name == "guardrail_blocked" and "Falcon" not in no.message
        assert text.startswith(shown) and not shown.endswith("Project")
    else:
        assert shown == text == fresh(stops).whole(text)


def test_ordinary_words_wait_for_no_more_than_the_next() -> None:
    channel = fresh().channel("content", 0)
    assert [channel.add(it) for it in ("The", " sky", " is", " clear", ".")] == [
        "", "The ", "sky ", "is ", "",
    ]  # fmt: skip
    assert channel.end() == "clear."


def test_what_only_marks_holds_nothing_back() -> None:
    texts = fresh(looking(Guardrail("pii", "pii", "mark")))
    channel = texts.channel("content", 0)
    assert [channel.add("anna@"), channel.add("x.org"), channel.end()] == ["anna@", "x.org", ""]
    assert texts.guarding is not None
    assert [(it.type, it.action) for it in texts.guarding.hits] == [("email", "mark")]


def test_patterns_of_a_plan_are_found_across_pieces() -> None:
    at = looking(PATTERNS)
    for size in range(1, 12):
        text = "ask EMP-123456 or EMP-654321, or EMP-12345"
        shown = streamed(cut(text, [size]), fresh(at))
        assert shown == "ask <EMPLOYEE_1> or <EMPLOYEE_2>, or EMP-12345"


def test_the_same_thing_has_the_same_placeholder() -> None:
    texts = fresh()
    shown = streamed(["a@x.org b@x.org ", "a@x.org"], texts)
    assert shown == "<EMAIL_1> <EMAIL_2> <EMAIL_1>"


@pytest.mark.parametrize(
    "part", ["1", "1 ", "a", "a.", "a@", "ab:", "eyJ-", "GB12 ", "(", "sk-", " "]
)
def test_the_work_for_a_hostile_text_grows_with_its_length_alone(part: str) -> None:
    """Counted in characters that detectors are given to look at."""
    given_to: list[int] = []
    count = 600
    for length in (count, 2 * count):
        texts = fresh()
        guarding = texts.guarding
        assert guarding is not None
        looked = [0]
        before = guarding.look

        def look(text: str, *rest: object, before=before, looked=looked):  # type: ignore[no-untyped-def]
            looked[0] += len(text)
            return before(text, *rest)

        guarding.look = look  # type: ignore[method-assign]
        streamed([part] * length, texts)
        given_to.append(looked[0])
    assert given_to[1] <= 2.6 * given_to[0] + 40_000


def test_sentences_go_out_together() -> None:
    texts = GuardedTexts(None, None, SentenceBuffer())
    channel = texts.channel("content", 0)
    said = ["One is", " here. Tw", "o is not", " yet"]
    assert [channel.add(it) for it in said] == ["", "One is here. ", "", ""]
    assert channel.waiting and channel.overdue() == "Two is not yet"
    assert channel.end() == ""
