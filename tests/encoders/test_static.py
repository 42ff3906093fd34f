"""Word vectors are those that wordllama gives, and what turns them off is said."""

import struct
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from wordllama.inference import WordLlamaInference

from tidegate.core.encoding import EncoderUnavailable, open_encoder
from tidegate.encoders import _weights, static


def test_they_are_the_vectors_of_wordllama() -> None:
    """Its own loader would look on the network for the tokenizer that it brings."""
    ours = static.Static()
    folder = _weights.folder_of("wordllama", "semantic-static")
    words = folder / "tokenizers/l2_supercat_tokenizer_config.json"
    theirs = WordLlamaInference(ours._table, Tokenizer.from_file(str(words)))
    texts = ["How do I reset my password?", "Grüße aus München", "日本の首都"]
    for text, vector in zip(texts, ours.encode(texts), strict=True):
        assert vector is not None
        wanted = theirs.embed([text], norm=True)[0].tolist()
        assert struct.unpack("<256f", vector) == pytest.approx(wanted, abs=1e-5)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tidegate.encoders.static", raising=False)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(EncoderUnavailable, match=r"pip install 'tidegate\[semantic-static\]'"):
        open_encoder("static")


def test_weights_of_another_version_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/l2_supercat_256.safetensors").write_bytes(b"\0" * 64)
    monkeypatch.setattr(static, "folder_of", lambda *_: tmp_path)
    with pytest.raises(EncoderUnavailable, match="damaged or of another version"):
        static.Static()
