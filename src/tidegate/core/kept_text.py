"""What an answer has said so far, kept to count its tokens where nobody else does."""

# Beyond it tokens are estimated by length.
MAX_TEXT_BYTES = 256 * 1024


class KeptText:
    """The part of a core.plugs.StreamReader that keeps what was said. `_content_at` is where the
    content begins in it, behind the thinking that came before."""

    __slots__ = ("_content_at", "_text", "content_chunks", "started", "text_beyond_bytes")

    def __init__(self) -> None:
        self._text = bytearray()
        self._content_at: int | None = None
        self.text_beyond_bytes = 0
        self.started = False
        self.content_chunks = 0

    def text(self) -> bytes:
        return bytes(self._text)

    def text_bytes(self) -> int:
        return len(self._text) + self.text_beyond_bytes

    def opening(self, most_bytes: int) -> bytes | None:
        at = self._content_at
        return None if at is None else bytes(self._text[at : at + most_bytes])

    def _keep(self, text: bytes) -> None:
        self.started = True
        self.content_chunks += 1
        if len(self._text) < MAX_TEXT_BYTES:
            self._text += text
        else:
            self.text_beyond_bytes += len(text)
