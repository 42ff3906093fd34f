"""A gateway's answer as its client reads it off the wire."""

from typing import Any

import msgspec


class Reply:
    """An answer as far as it came."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1]) if first else 0
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.whole = True
        self.body = rest
        if self.headers.get("transfer-encoding") == "chunked":
            self.body, self.whole = _unchunk(rest)
        elif "content-length" in self.headers:
            self.whole = len(rest) == int(self.headers["content-length"])

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The error's code; AssertionError when the answer is no error of ours."""
        assert self.headers["content-type"] == "application/json", self.raw
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) - {"limit"} == {"message", "type", "param", "code"}
        assert self.headers["x-should-retry"] in ("true", "false")
        code: str = self.json["error"]["code"]
        return code

    @property
    def events(self) -> list[bytes]:
        return [e.removeprefix(b"data: ") for e in self.body.split(b"\n\n") if e.strip()]


def _unchunk(data: bytes) -> tuple[bytes, bool]:
    out = b""
    while b"\r\n" in data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return out, True
        out += data[:length]
        data = data[length + 2 :]
    return out, False
