"""Word vectors: a text is the mean of its tokens' 256 dimensions. 0.1 ms, without onnxruntime; it
sees the words that are there and not their order.

The vectors and the tokenizer are those of wordllama (l2_supercat_256), whose own code is not run:
it looks for its tokenizer in another folder than it is in, and then on the network.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.core.encoding import EncoderUnavailable, Vector
from tidegate.encoders._weights import folder_of, whole

try:
    import numpy as np
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    from tidegate.encoders._unit import unit
except ImportError as error:
    raise EncoderUnavailable(f"{error}: pip install 'tidegate[semantic-static]'") from error

DIMENSIONS: Final = 256
MAX_CHARS: Final = 4096
_EXTRA: Final = "semantic-static"
_WEIGHTS: Final = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
_TOKENIZER: Final = "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"


class Static:
    """One table, which any thread may use."""

    name = "static"
    version = f"static-{_WEIGHTS[:12]}-{_TOKENIZER[:12]}"
    dimensions = DIMENSIONS
    fast = True

    def __init__(self) -> None:
        """EncoderUnavailable."""
        folder = folder_of("wordllama", _EXTRA)
        weights = whole(folder / "weights/l2_supercat_256.safetensors", _WEIGHTS, _EXTRA)
        words = whole(folder / "tokenizers/l2_supercat_tokenizer_config.json", _TOKENIZER, _EXTRA)
        try:
            self._tokenizer = Tokenizer.from_buffer(words)
            self._table = load(weights)["embedding.weight"]
            self.encode(["Is it there?"])
        except EncoderUnavailable:
            raise
        except Exception as error:  # tokenizers has no class of its own for it
            raise EncoderUnavailable(f"static does not start: {error}") from error

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        """As core.encoding.Encoder."""
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> Vector | None:
        if len(text) > MAX_CHARS or not text.strip():
            return None
        plain = text.encode(errors="replace").decode()
        tokens = self._tokenizer.encode(plain, add_special_tokens=False)
        return unit(self._table[tokens.ids].mean(axis=0, dtype=np.float32), DIMENSIONS)


plug = Static
