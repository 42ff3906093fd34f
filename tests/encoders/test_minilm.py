"""What turns MiniLM off: a package that is missing, weights that are damaged, a session that fails.
That it encodes is shown by the contract of all encoders."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.core.encoding import EncoderUnavailable, open_encoder
from tidegate.encoders.minilm import MAX_TOKENS, MiniLm


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tidegate.encoders.minilm")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        EncoderUnavailable, match=r"onnxruntime.*pip install 'tidegate\[semantic\]'"
    ):
        open_encoder("minilm")


@pytest.mark.parametrize("wrong", ["damaged", "missing", "folder"])
def test_weights_that_are_damaged_or_missing_are_said(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "model.onnx"
    if wrong == "damaged":
        path.write_bytes(b"\x08\x07" * 1000)
    elif wrong == "folder":
        path.mkdir()
    with pytest.raises(EncoderUnavailable, match=r"model\.onnx .* install it again"):
        MiniLm(path)


class Session:
    """Gives one thing, whatever it is given."""

    def __init__(self, hidden: Any) -> None:
        self._hidden = hidden

    def run(self, _outputs: list[str], given: dict[str, Any]) -> list[Any]:
        if isinstance(self._hidden, Exception):
            raise self._hidden
        return [np.full((*given["input_ids"].shape, *self._hidden[0]), self._hidden[1])]


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (RuntimeError("out of memory"), "out of memory"),
        (((384,), np.nan), "not of numbers"),
        (((384,), np.inf), "not of numbers"),
        (((12,), 1.0), r"shape \(12,\)"),
    ],
    ids=["raises", "nan", "infinite", "shape"],
)
def test_what_comes_out_wrong_is_an_encoder_that_cannot_be_had(
    hidden: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = MiniLm()
    monkeypatch.setattr(encoder, "_session", Session(hidden))
    with pytest.raises(EncoderUnavailable, match=said):
        encoder.encode(["Is it there?"])
    monkeypatch.setattr(encoder, "_session", Session(((384,), 0.0)))
    assert encoder.encode(["Is it there?"]) == [None]


def test_the_last_text_that_is_read_whole_has_256_tokens() -> None:
    encoder = MiniLm()
    fits, longer = encoder.encode(["a " * (MAX_TOKENS - 2), "a " * (MAX_TOKENS - 1)])
    assert fits is not None
    assert longer is None
