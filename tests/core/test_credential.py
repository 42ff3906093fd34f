"""A key in memory can be handed on and shown without showing its secrets."""

import msgspec
import pytest

from tidegate.core.credential import Addressed, SigningKey
from tidegate.core.secret import Secret

KEY = SigningKey("AKIDEXAMPLE", Secret("wJalrXUtn"), Secret("6e86291e"), "eu-central-1")


def test_a_key_that_is_printed_shows_no_secret() -> None:
    for text in (repr(KEY), str(KEY), f"{KEY}"):
        assert "AKIDEXAMPLE" in text
        assert "wJalrXUtn" not in text and "6e86291e" not in text


def test_a_key_cannot_be_written_anywhere() -> None:
    for encode in (msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError):
            encode(KEY)


def test_an_address_alone_has_no_path_and_no_headers() -> None:
    assert Addressed("bedrock-runtime.eu-central-1.amazonaws.com") == Addressed(
        "bedrock-runtime.eu-central-1.amazonaws.com", "", ()
    )
