import msgspec
import pytest

from tidegate.control.shapes_prompts import NewFlip, PromptList


def test_a_flip_says_where_to_and_why_and_nothing_else() -> None:
    flip = msgspec.json.decode(b'{"version": null, "reason": "x"}', type=NewFlip)
    assert (flip.version, flip.uncertified) == (None, False)
    for body in (b'{"version": "v1"}', b'{"reason": "x"}', b'{"version": "", "reason": "x"}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=NewFlip)


def test_an_answer_names_every_field_also_where_there_is_nothing() -> None:
    assert msgspec.to_builtins(PromptList(None, None, None, [], [])) == {
        "repository": None,
        "ref": None,
        "commit": None,
        "prompts": [],
        "problems": [],
    }
