import msgspec
import pytest
from msgspec import Raw

from tidegate.core import plugs
from tidegate.core.ask import Ask, content_name
from tidegate.core.conversation import Text
from tidegate.core.plugs import Dialect
from tidegate.dialects._turns import with_turns

SAID, TOLD = 'Sure: {"a"', "no JSON"
NEW = [{"role": "assistant", "content": SAID}, {"role": "user", "content": TOLD}]


def test_what_was_there_stays_as_it_was():
    first = b'{"role":"user",  "content":[{"type":"image", "n":1.50}]}'
    turns = with_turns(Raw(b"[ " + first + b" ]"), SAID, TOLD)
    assert first in bytes(turns)
    assert msgspec.json.decode(turns)[1:] == NEW


def test_a_bare_text_is_the_user_s():
    found = msgspec.json.decode(with_turns(Raw(b'"hi"'), SAID, TOLD))
    assert found == [{"role": "user", "content": "hi"}, *NEW]


@pytest.mark.parametrize("name", plugs.names("dialects"))
def test_every_dialect_reads_what_it_has_written(name: str) -> None:
    dialect: Dialect = plugs.load("dialects", name)
    members = {
        "model": Raw(b'"m"'),
        dialect.content: Raw(b'[{"role":"user","content":"hi"}]'),
        dialect.ceiling: Raw(b"50"),
    }
    ask = Ask("chat", msgspec.json.encode(members), members, "m", dialect=name)
    assert content_name(ask) == dialect.content
    members[dialect.content] = dialect.with_turns(members[dialect.content], SAID, TOLD)
    again = Ask("chat", msgspec.json.encode(members), members, "m", dialect=name)
    turns = dialect.read(again).turns
    assert [(turn.role, turn.parts) for turn in turns] == [
        ("user", (Text("hi"),)),
        ("assistant", (Text(SAID),)),
        ("user", (Text(TOLD),)),
    ]
