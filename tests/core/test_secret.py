"""A secret shows nowhere but where it is revealed."""

import copy
import logging
import pickle
from collections.abc import Callable

import msgspec
import pytest

from tidegate.core.secret import Secret

WORDS = "hunter2-and-more"


def test_it_prints_as_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(WORDS)
    with caplog.at_level(logging.INFO):
        logging.info("%s %r", secret, [secret])
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", caplog.text):
        assert WORDS not in shown


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, msgspec.json.encode])
def test_it_is_not_written(write: object) -> None:
    with pytest.raises(TypeError):
        write(Secret(WORDS))  # type: ignore[operator]


def test_it_is_taken_out_of_other_people_s_words() -> None:
    secret = Secret(WORDS)
    assert secret.reveal() == WORDS
    assert secret.conceal(b"bad key hunter2-and-more!") == b"bad key [redacted]!"


def escaped(text: str) -> bytes:
    """`text` with every letter spelled as JSON's escape."""
    return b"".join(b"\\u%04x" % ord(letter) for letter in text)


@pytest.mark.parametrize("words", ["hunter2/and/more", 'a"b\\c+d/e='])
@pytest.mark.parametrize(
    "spell",
    [
        lambda words: msgspec.json.encode(words)[1:-1],
        lambda words: msgspec.json.encode(words)[1:-1].replace(b"/", b"\\/"),
        escaped,
        lambda words: escaped(words).upper().replace(b"\\U", b"\\u"),
    ],
)
def test_no_spelling_of_it_in_json_comes_through(words: str, spell: Callable[[str], bytes]) -> None:
    told = b'{"error": {"message": "bad key %b!", "n": 1}}' % spell(words)
    assert words in msgspec.json.decode(told)["error"]["message"]
    left = msgspec.json.decode(Secret(words).conceal(told))
    assert left == {"error": {"message": "bad key [redacted]!", "n": 1}}


@pytest.mark.parametrize(
    "told", [b'{"a": "\\u0068"', b'{"a": "\\u0068", "b": "\xff"}', b"[" * 9999 + b"\\", b"\\"]
)
def test_escapes_in_what_is_no_json_are_held_back(told: bytes) -> None:
    assert Secret("h").conceal(told) == b"[redacted]"
