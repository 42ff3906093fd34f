"""A secret of theirs has one file, whose name tells nothing of it."""

import pytest

from tidegate.config.their_file import FileRefused
from tidegate.config.their_secrets import Secrets


def test_the_same_secret_is_one_file_and_another_is_another() -> None:
    kept = Secrets()
    first = kept.put("openai", "sk-secret-one")
    assert kept.put("openai", "sk-secret-one") == first
    assert kept.put("openai", "sk-secret-two") != first
    assert set(kept.files.values()) == {"sk-secret-one", "sk-secret-two"}
    assert first.startswith("file:secrets/openai-")
    assert "sk-secret" not in first


def test_what_is_no_text_is_refused_before_anything_is_written() -> None:
    with pytest.raises(FileRefused):
        Secrets().put("openai", "sk-\ud800")
