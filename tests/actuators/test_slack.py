import msgspec
from tests.actuators.messages import ending, many, message, notice

from tidegate.actuators.slack import body_of, plug


def test_it_is_blocks_with_a_plain_text_for_small_screens() -> None:
    said = msgspec.json.decode(body_of(message()))
    assert said["text"] == "chat burns its budget 14.4 times too fast (production)"
    first = said["blocks"][0]["text"]
    assert first["type"] == "mrkdwn"
    assert first["text"] == ":rotating_light: *chat burns its budget 14.4 times too fast*"
    over = msgspec.json.decode(body_of(ending(message())))
    assert over["blocks"][0]["text"]["text"].startswith(":white_check_mark: *Resolved: ")


def test_nothing_in_it_mentions_links_or_commands() -> None:
    said = body_of(message(notice(title="<!channel> <https://x|y> &amp;", text="<@U1>")))
    assert b"<" not in said and b">" not in said
    assert b"&lt;!channel&gt;" in said


def test_it_is_never_longer_than_slack_takes() -> None:
    for one in (message(notice(title="&" * 300, text="&" * 8000)), many(200)):
        blocks = msgspec.json.decode(body_of(one))["blocks"]
        assert len(blocks) <= 50
        assert all(0 < len(block["text"]["text"]) <= 3000 for block in blocks)


def test_slack_knows_no_message_again() -> None:
    assert not plug.repeatable
