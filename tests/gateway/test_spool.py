"""Records beside the journal: framed, bounded, never half, and the recorder's when finished."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.spools import payloads
from tests.stores import rig

from tidegate.core.frames import MAX_FRAME_BYTES
from tidegate.core.spool import FINISHED, GROWING
from tidegate.gateway.spool import FINISH_S, Spool


def test_a_segment_is_finished_when_it_is_old_enough(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", 1 << 20)
    assert not (tmp_path / "s").exists(), "nothing is made for nothing"
    assert spool.append(b"one", 10.0) and spool.append(b"two", 10.1)
    spool.sweep(10.0 + FINISH_S / 2)
    assert list(spool.folder.glob(f"*{FINISHED}")) == []
    spool.sweep(10.0 + FINISH_S)
    assert spool.append(b"three", 11.0)
    spool.close()
    assert len(list(spool.folder.glob(f"*{FINISHED}"))) == 2
    assert list(spool.folder.glob(f"*{GROWING}")) == []
    assert payloads(spool.folder) == [b"one", b"two", b"three"]


def test_what_has_no_room_is_not_written_until_the_recorder_has_made_some(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 300)
    assert spool.append(b"x" * 200, 1.0)
    assert not spool.append(b"y" * 200, 1.0)
    spool.sweep(2.0)
    assert not spool.append(b"y" * 200, 2.0)
    for path in tmp_path.glob(f"*{FINISHED}"):
        path.unlink()
    spool.sweep(3.0)
    assert spool.append(b"y" * 200, 3.0)
    assert not spool.append(b"z" * (MAX_FRAME_BYTES + 1), 3.0)
    spool.close()
    assert payloads(tmp_path) == [b"y" * 200]


def test_a_disk_that_refuses_costs_the_record_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "s", 1 << 20)
    assert not spool.append(b"one", 1.0)
    spool.close()


def test_of_two_gateways_with_one_name_the_second_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.gateway.journal_lock.LOCK_PATIENCE_S", 0.0)
    first, second = Spool(tmp_path, 1 << 20), Spool(tmp_path, 1 << 20)
    assert first.append(b"one", 1.0)
    assert not second.append(b"two", 1.0)
    first.close()
    assert second.append(b"two", 1.0)
    second.close()
    assert payloads(tmp_path) == [b"one", b"two"]


def killed(folder: Path) -> None:
    spool = Spool(folder, 1 << 20)
    spool.append(b"before", 1.0)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_gateway_wrote_is_finished_by_the_next(tmp_path: Path) -> None:
    assert rig.exit_of(rig.in_child(lambda: killed(tmp_path))) == -signal.SIGKILL
    spool = Spool(tmp_path, 1 << 20)
    assert spool.append(b"after", 1.0)
    spool.close()
    assert payloads(tmp_path) == [b"before", b"after"]
    assert len(list(tmp_path.glob(f"*{FINISHED}"))) == 2


@given(said=st.lists(st.binary(min_size=1, max_size=200), max_size=20), steps=st.integers(1, 5))
def test_whatever_is_written_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, said: list[bytes], steps: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, 1 << 20)
    for at, payload in enumerate(said):
        assert spool.append(payload, float(at))
        if at % steps == 0:
            spool.sweep(at + 1.0)
    spool.close()
    assert payloads(folder) == said
