"""Long bodies wait on disk: as they came, within bounds, and no longer than they are wanted."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.outcome import Refusal
from tidegate.gateway.http import spools
from tidegate.gateway.http.reader import RequestReader
from tidegate.gateway.http.spools import FROM_BYTES, MOST_FILES, Spools

PATH = b"/v1/files"


def request(body: bytes, path: bytes = PATH, method: bytes = b"POST", chunk: int = 0) -> bytes:
    head = b"%b %b HTTP/1.1\r\nhost: a\r\n" % (method, path)
    if not chunk:
        return head + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return head + b"transfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def made(most: int = 1_000_000) -> Spools:
    it = Spools([PATH])
    it.max_file_bytes = most
    return it


@given(
    st.integers(FROM_BYTES - 2, FROM_BYTES + 2) | st.integers(0, 900_000),
    st.sampled_from([0, 70_000]),
    st.integers(10_000, 400_000),
)
def test_a_body_is_the_same_in_memory_and_on_disk(size, chunk, piece):
    body = (b"0123456789abcde" * (size // 15 + 1))[:size]
    it, data = made(), request(body, chunk=chunk)
    reader = RequestReader(1000, it)
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece], 0.0)
    (incoming,) = reader.whole
    spool = incoming.spool
    assert (spool is not None) == (size > FROM_BYTES)
    if spool is None:
        assert incoming.body == body
    else:
        assert (incoming.body, bytes(spool.mapped())) == (b"", body)
        assert it.size == spool.size == size
        spool.close()
        spool.close()
    assert it.size == 0
    reader.feed(request(b"again"), 0.0)
    assert reader.whole[-1].body == b"again"
    reader.close()


def test_other_paths_and_methods_keep_their_bound():
    for path, method in ((b"/v1/chat/completions", b"POST"), (PATH, b"PUT")):
        with pytest.raises(Refusal, match="exceeds 1000 bytes"):
            RequestReader(1000, made()).feed(request(b"x" * 1001, path, method), 0.0)
    with pytest.raises(Refusal, match="exceeds 1000000 bytes"):
        RequestReader(1000, made()).feed(request(b"x" * 1_000_001), 0.0)
    with pytest.raises(Refusal, match="exceeds 1000 bytes"):
        RequestReader(1000).feed(request(b"x" * 1001), 0.0)


def test_what_is_left_behind_is_let_go():
    it = made()
    reader = RequestReader(1000, it)
    reader.feed(request(b"x" * 300_000) + request(b"y" * 400_000)[:-9], 0.0)
    assert it.size == 700_000  # of what is still to come room is kept
    reader.close()
    assert it.size == 0


def test_all_that_comes_at_once_is_bounded():
    it = made(300_000)
    readers = [RequestReader(1000, it) for _ in range(MOST_FILES)]
    for reader in readers:
        reader.feed(request(b"x" * 300_000), 0.0)
    late = RequestReader(1000, it)
    with pytest.raises(Refusal) as no:
        late.feed(request(b"x" * 300_000), 0.0)
    assert (no.value.code.name, no.value.retry_after_s) == ("overloaded", spools.RETRY_S)
    for reader in (*readers, late):
        reader.close()
    assert it.size == 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400_000), st.booleans())))
def test_room_is_kept_of_each_sender_and_of_all_and_given_back(asked):
    it, open_spools = made(300_000), []
    for who, expected, ends in asked:
        try:
            open_spools.append((who, it.begin(who, expected)))
        except Refusal as no:
            own = sum(one._kept_bytes for name, one in open_spools if name == who)
            assert (no.code.name == "rate_limit_exceeded") == (own + expected > 600_000)
        if ends and open_spools:
            open_spools.pop(0)[1].close()
        kept = [(name, one._kept_bytes) for name, one in open_spools]
        assert it.size == sum(size for _, size in kept) <= MOST_FILES * 300_000
        for name in "ab":
            assert sum(size for who, size in kept if who == name) <= 600_000
    for _, one in open_spools:
        one.close()
    assert (it.size, dict(it._of)) == (0, {})


def test_a_body_for_the_disk_waits_for_leave():
    it = made()

    async def leave(head):
        raise AssertionError  # a reader never waits: who reads asks

    it.leave = leave
    for chunk in (0, 70_000):
        reader, data = RequestReader(1000, it), request(b"x" * 600_000, chunk=chunk)
        reader.feed(data[:200], 0.0)
        assert (reader.asks is None) == bool(chunk)  # whose head says no length
        reader.feed(data[200:300_000], 0.0)
        assert reader.asks is not None
        assert it.size == 0
        reader.grant("team-a")
        assert it.size >= 299_000
        reader.feed(data[300_000:], 0.0)
        (incoming,) = reader.whole
        assert incoming.spool.size == 600_000
        reader.close()
    short = RequestReader(1000, it)
    short.feed(request(b"x" * FROM_BYTES), 0.0)
    assert short.asks is None
    assert len(short.whole) == 1


def test_without_a_disk_there_is_no_room(tmp_path: Path):
    it = Spools([PATH], tmp_path / "none")
    with pytest.raises(Refusal, match="no room on disk"):
        it.begin()


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch):
    class Full:
        def __init__(self, written: int | None) -> None:
            self.written = written

        def write(self, data: bytes) -> int:
            if self.written is None:
                raise OSError(28, "full")
            return self.written

        def close(self) -> None:
            pass

    for written in (None, 3):
        monkeypatch.setattr(spools.tempfile, "TemporaryFile", lambda w=written, **_: Full(w))
        spool = made().begin()
        with pytest.raises(Refusal, match="no room on disk"):
            spool.write(b"12345")
        spool.close()
