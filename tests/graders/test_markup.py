"""XML and HTML in answers."""

import pytest
from tests.graders.graded import grade

LAUGHS = '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ('<?xml version="1.0"?><a b="1"><c/></a>', "pass"),
        ("<a></b>", "fail"),
        ("<a/><b/>", "fail"),
        ("text <a/>", "fail"),
        (LAUGHS, "fail"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "fail"),
        ("<a>" * 300 + "</a>" * 300, "fail"),
    ],
)
def test_xml_as_a_whole(answer: str, verdict: str) -> None:
    assert grade("markup", {}, answer).verdict == verdict


def test_xml_between_words_and_with_its_elements() -> None:
    answer = "If a <b then: <order><item n='1'/></order>, or <order><box/></order>."
    options = {"where": "anywhere", "elements": ["order.box"]}
    assert grade("markup", options, answer).verdict == "pass"
    assert grade("markup", {**options, "elements": ["order.bag"]}, answer).verdict == "fail"
    assert grade("markup", options, f"See {LAUGHS}").verdict == "fail"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("<!DOCTYPE html><html><body><p>a<p>b</body></html>", "pass"),
        ("<h1>Title</h1>\n<p>Text</p>", "pass"),
        ('<img src="a.jpg" />', "pass"),
        ("<my-part>x</my-part><!-- note -->", "pass"),
        ("Just text", "fail"),
        ("before <div>in</div>", "fail"),
        ("<div>in</div> after", "fail"),
        ("<div>open", "fail"),
        ("<div></span>", "fail"),
        ('<?xml version="1.0"?><root></root>', "fail"),
        ("<root>x</root>", "fail"),
        ("", "fail"),
    ],
)
def test_html_as_a_whole(answer: str, verdict: str) -> None:
    assert grade("markup", {"kind": "html"}, answer).verdict == verdict


def test_html_between_words_needs_two_signs() -> None:
    options = {"kind": "html", "where": "anywhere"}
    assert grade("markup", options, "Use <b>this</b>.").verdict == "pass"
    assert grade("markup", options, "a < b &amp; c").verdict == "fail"
    assert grade("markup", options, "mail <me@example.com>").verdict == "fail"
