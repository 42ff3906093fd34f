"""Which kept answers an invalidation means."""

import pytest

from tidegate.core.cache_labels import EVERYTHING, Labels, Selector, labelled

ONE = Labels(
    tier="exact",
    entry="01E",
    route="faq",
    release="v1",
    team="acme",
    customer="c1",
    key="k1",
    prompt="support",
    version="7",
    target="openai/gpt-4o",
    model="gpt-4o",
    served="gpt-4o-2024-08-06",
    tags=("prices", "shop"),
    sources=("doc-17",),
)


@pytest.mark.parametrize(
    "selector",
    [
        Selector(tag="prices"),
        Selector(tag="shop"),
        Selector(source="doc-17"),
        Selector(entry="01E"),
        Selector(key="k1"),
        Selector(prompt="support"),
        Selector(prompt="support", version="7"),
        Selector(team="acme"),
        Selector(team="acme", customer="c1", tag="shop"),
        Selector(model="gpt-4o"),
        Selector(model="gpt-4o-2024-08-06"),
        Selector(target="openai/gpt-4o"),
        Selector(release="v1"),
        Selector(route="faq", tier="exact"),
        EVERYTHING,
    ],
    ids=str,
)
def test_an_answer_is_meant_by_what_it_came_of(selector: Selector) -> None:
    assert selector.matches(ONE)
    assert selector.wrong() is None


@pytest.mark.parametrize(
    "selector",
    [
        Selector(tag="doc-17"),
        Selector(source="prices"),
        Selector(entry="01F"),
        Selector(prompt="support", version="8"),
        Selector(team="acme", customer="c2"),
        Selector(team="beta", tag="prices"),
        Selector(model="gpt"),
        Selector(tier="semantic"),
    ],
    ids=str,
)
def test_all_that_is_named_has_to_be_its_own(selector: Selector) -> None:
    assert not selector.matches(ONE)
    assert not selector.matches(Labels())


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (Selector(), "say everything"),
        (Selector(everything=True, tag="a"), "stands alone"),
        (Selector(version="7"), "name the prompt too"),
        (Selector(customer="c1"), "name the team too"),
        (Selector(tag=""), "tag is a word"),
        (Selector(tag=" a"), "tag is a word"),
        (Selector(source="a\nb"), "source is a word"),
        (Selector(source="x" * 129), "source is a word"),
    ],
    ids=["nothing", "everything", "version", "customer", "empty", "blank", "line", "long"],
)
def test_what_cannot_be_meant_is_told(selector: Selector, words: str) -> None:
    assert words in (selector.wrong() or "")


def test_whatever_a_key_or_a_model_may_be_called_can_be_named() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/" + "x" * 150
    assert Selector(model=arn).wrong() is None
    assert Selector(customer="acme\u00a0ltd ", team="t").wrong() is None
    assert "model has" in (Selector(model="x" * 513).wrong() or "")


def test_what_an_answer_is_invalidated_by() -> None:
    assert {name for name, _ in labelled(ONE)} == set(Selector.__struct_fields__) - {"everything"}
    assert list(labelled(Labels())) == []
