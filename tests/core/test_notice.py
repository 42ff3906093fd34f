import pytest

from tidegate.core.notice import SEVERITIES, Notice, Topic, graver, severity_of, thing_of


def test_a_page_is_the_gravest() -> None:
    pairs = {(one, other) for one in SEVERITIES for other in SEVERITIES if graver(one, other)}
    assert pairs == {("page", "ticket"), ("page", "info"), ("ticket", "info")}


def test_a_severity_that_is_none_of_ours_is_overlooked_by_nobody() -> None:
    assert [severity_of(one) for one in SEVERITIES] == list(SEVERITIES)
    assert severity_of("critical") == "page"
    assert graver("critical", "ticket")


@pytest.mark.parametrize(
    ("topic", "key", "thing"),
    [
        ("release", "release/chat/new/rolled_back", "release/chat/new"),
        ("release", "slo/chat/frozen", "slo/chat"),
        ("burn", "burn/chat/ttft/page", "burn/chat/ttft"),
        (
            "budget",
            "budget/house/team a/1790000000/actual/80/5000",
            "budget/house/team a/1790000000",
        ),
        ("absence", "absence/chat", "absence/chat"),
        ("change", "change/0199/waits", "change/0199"),
        ("burn", "burn/chat", "burn/chat"),
        ("loop", "loop", "loop"),
    ],
)
def test_states_of_one_thing_are_of_one_thing(topic: Topic, key: str, thing: str) -> None:
    assert thing_of(Notice("n1", key, topic, "page", "t", "", 0.0)) == thing
