"""A secret shows nowhere but where it is revealed."""

import copy
import logging
import pickle

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
