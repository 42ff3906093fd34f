"""In every wire a rewritten stream is a stream, however its texts are cut."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dialects.rewritten import DIALECTS, rewriter, spoken, texts_of, through, written
from tests.gateway.test_guarded_texts import SIZES, TEXTS, cut, fresh

from tidegate.core.guardrail import SentenceBuffer

WIRES = pytest.mark.parametrize("name", DIALECTS)


def unnumbered(text: str) -> str:
    """Placeholders are numbered as things come; thinking and content come at once."""
    return re.sub(r"_[0-9]+>", ">", text)


@WIRES
@settings(max_examples=25)
@given(text=TEXTS, sizes=SIZES, thought=TEXTS)
def test_its_texts_are_what_the_whole_would_be(
    name: str, text: str, sizes: Sequence[int], thought: str
) -> None:
    reads, end = written(
        name, spoken(cut(text, sizes), cut(thought, sizes), ['{"to": "a@', 'x.org"}'])
    )
    events = through(rewriter(name), reads, end)
    told, texts = texts_of(name, events), fresh()
    assert unnumbered(told["reasoning"]) == unnumbered(texts.whole(thought))
    assert unnumbered(told["content"]) == unnumbered(texts.whole(text))
    assert "a@x.org" not in told["arguments"] and "<EMAIL_" in told["arguments"]


@WIRES
@settings(max_examples=25)
@given(pieces=st.lists(st.text(alphabet='ab. \n\u3002\u00e9"', max_size=6), max_size=12))
def test_held_back_by_the_sentence_it_says_the_same(name: str, pieces: list[str]) -> None:
    reads, end = written(name, spoken(pieces, ["so", " it is"], ['{"to":', "1}"]))
    as_they_come = through(rewriter(name, guards=False), reads, end)
    made = rewriter(name, SentenceBuffer(max_chars=20), guards=False)
    assert texts_of(name, through(made, reads, end)) == texts_of(name, as_they_come)


@WIRES
def test_what_waits_too_long_goes_out_as_it_is(name: str) -> None:
    reads, end = written(name, spoken(["Half a", " sentence"]))
    made = rewriter(name, SentenceBuffer(), guards=False)
    before = b"".join([made.feed(read) for read in reads[:4] if read])
    assert b"Half" not in before and made.waiting and not made.started
    assert b"Half a sentence" in made.overdue() and made.started and not made.waiting
    rest = b"".join([made.feed(read) for read in reads[4:] if read]) + made.end(end)
    assert rest


@WIRES
def test_a_comment_passes(name: str) -> None:
    assert rewriter(name).feed(b": ping\n\n") == b": ping\n\n"
