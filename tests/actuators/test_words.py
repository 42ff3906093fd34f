from tests.actuators.messages import ending, many, message, notice

from tidegate.actuators._words import MOST_SHOWN, gravest, headline, paragraphs


def test_one_is_said_whole_and_its_end_by_what_ended_it() -> None:
    one = message()
    assert headline(one) == "chat burns its budget 14.4 times too fast"
    assert paragraphs(one) == [
        "p99 first token is 4.2 s, 3 s are promised.",
        "page, burn, route chat, since 2026-09-21T14:13:20.000+00:00, production, "
        "key burn/chat/ttft",
    ]
    assert headline(ending(one)) == "Resolved: chat burns its budget 14.4 times too fast"
    assert paragraphs(ending(one))[0] == "It is back to 1 s."


def test_several_are_counted_and_the_first_are_said() -> None:
    storm = many(30)
    assert headline(storm) == "30 notices: 30 burn"
    said = paragraphs(storm)
    assert len(said) == MOST_SHOWN + 1
    assert said[0] == "- title 0 (page, 2026-09-21T14:13:20.000+00:00)"
    assert said[-1] == "and 10 more: `tidegate notice list`"
    assert paragraphs(ending(many(2)))[0].startswith("- resolved: title 0")
    assert len(paragraphs(many(MOST_SHOWN))) == MOST_SHOWN


def test_the_gravest_gives_its_severity_to_all() -> None:
    assert gravest(message(notice(severity="info"), notice(severity="ticket"))) == "ticket"
    assert gravest(message(notice(severity="info"))) == "info"
