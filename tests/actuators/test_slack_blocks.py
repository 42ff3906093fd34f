from typing import Any

from msgspec.structs import replace
from tests.actuators.messages import NOON_S, ending, many, message, notice

from tidegate.actuators._slack_blocks import of
from tidegate.core.notice import Message, Notice


def texts(one: Message) -> list[str]:
    blocks: list[dict[str, Any]] = of(one)["blocks"]
    return [block["text"]["text"] for block in blocks]


def over(one: Notice) -> Notice:
    return replace(one, resolved_at_s=one.at_s + 60, resolution="It is over.")


def test_it_is_blocks_with_a_plain_text_for_small_screens() -> None:
    assert of(message())["text"] == "chat burns its budget 14.4 times too fast (production)"
    assert of(message())["blocks"][0]["text"]["type"] == "mrkdwn"
    assert all(block["text"]["verbatim"] for block in of(message())["blocks"])
    assert texts(message())[0] == ":rotating_light: *chat burns its budget 14.4 times too fast*"
    assert texts(ending(message()))[0].startswith(":white_check_mark: *Resolved: ")


def test_nothing_in_it_mentions_links_or_commands() -> None:
    hostile = notice(title="<!channel> <https://x|y> &amp;", text="<@U1>")
    said = str(of(message(hostile, earlier=(replace(hostile, id="n0"),))))
    assert "<" not in said and ">" not in said
    assert "&lt;!channel&gt;" in said


def test_it_is_never_longer_than_slack_takes() -> None:
    long = notice(title="&" * 300, text="&" * 8000)
    told = message(long, earlier=tuple(replace(long, id=f"a{i}") for i in range(40)))
    for one in (message(long), many(200), told):
        assert len(texts(one)) <= 50
        assert all(0 < len(text) <= 3000 for text in texts(one))


def test_what_is_in_force_goes_before_what_is_over_whatever_came_last() -> None:
    ticket = notice(id="n1", severity="ticket", title="It burns slowly")
    page = notice(id="n2", severity="page", title="It burns fast", at_s=NOON_S + 5)
    late = Message("m3", "x", NOON_S + 9, (over(ticket),), "m1", (page,))
    assert texts(late)[0] == ":rotating_light: *It burns fast*"
    assert "until" in texts(late)[-1] and "It burns slowly" in texts(late)[-1]
    done = Message("m4", "x", NOON_S + 9, (over(page),), "m2", (over(ticket),))
    assert texts(done)[0] == ":white_check_mark: *Resolved: It burns fast*"
