"""What may be moved in: known by its SHA-256, named as things here are named."""

import msgspec
import pytest

from tidegate.core.moved import Moved

KEY = '{"sha256":"%s","name":"app","team":"t","routes":["*"],"created_at_s":1}' % ("a" * 64)


def test_what_is_left_out_asks_for_nothing() -> None:
    found = msgspec.json.decode(f'{{"source":"litellm","keys":[{KEY}]}}', type=Moved)
    assert not found.apply and not found.keep_ours
    assert found.keys[0].limits is None
    assert msgspec.json.decode(msgspec.json.encode(found), type=Moved) == found


@pytest.mark.parametrize(
    "text",
    [
        '{"source":"Lite LLM"}',
        '{"source":"litellm","surprise":1}',
        f'{{"source":"litellm","keys":[{KEY.replace("a" * 64, "A" * 64)}]}}',
        f'{{"source":"litellm","keys":[{KEY.replace("app", "")}]}}',
        '{"source":"litellm","teams":[{"id":"a b","alias":"x","routes":[],"created_at_s":1}]}',
        '{"source":"litellm","budgets":[{"name":"b","amount_nanousd":0,"only":{}}]}',
        '{"source":"litellm","spends":[{"scope":{},"at_s":1,"nanousd":-1}]}',
    ],
)
def test_what_could_not_be_stored_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Moved)
