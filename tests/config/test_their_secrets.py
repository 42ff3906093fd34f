"""A secret of theirs has one file, whose name tells nothing of it."""

from tidegate.config.their_secrets import Secrets


def test_the_same_secret_is_one_file_and_another_is_another() -> None:
    kept = Secrets()
    first = kept.put("openai", "sk-secret-one")
    assert kept.put("openai", "sk-secret-one") == first
    assert kept.put("openai", "sk-secret-two") != first
    assert set(kept.files.values()) == {"sk-secret-one", "sk-secret-two"}
    assert first.startswith("file:secrets/openai-")
    assert "sk-secret" not in first
