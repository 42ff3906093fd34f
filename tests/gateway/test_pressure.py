"""What the gateway refuses when it is short of time or memory itself."""

from pathlib import Path

import pytest

from tidegate.core.outcome import Refusal
from tidegate.gateway.pressure import LAG_TICKS, Pressure, memory_share

GIB = 1 << 30


def refused(pressure: Pressure) -> list[int]:
    """The ranks that it refuses."""
    out = []
    for rank in range(3):
        try:
            pressure.check(rank)
        except Refusal as no:
            assert (no.code.name, no.retry_after_s) == ("overloaded", 1.0)
            out.append(rank)
    return out


@pytest.mark.parametrize(
    ("share", "ranks"),
    [(None, []), (0.84, []), (0.85, [2]), (0.95, [1, 2]), (0.98, [0, 1, 2])],
)
def test_memory_sheds_the_lowest_class_first(share: float | None, ranks: list[int]) -> None:
    pressure = Pressure()
    pressure.memory(share)
    assert refused(pressure) == ranks
    assert pressure.refused == len(ranks)
    pressure.memory(0.5)
    assert refused(pressure) == []


@pytest.mark.parametrize(
    ("lag_s", "ranks"), [(0.09, []), (0.1, [2]), (0.3, [1, 2]), (2.0, [0, 1, 2])]
)
def test_so_does_a_loop_that_is_late_at_every_turn(lag_s: float, ranks: list[int]) -> None:
    pressure = Pressure()
    for _ in range(LAG_TICKS):
        assert refused(pressure) == []
        pressure.lag(lag_s)
    assert refused(pressure) == ranks
    pressure.lag(0.0)
    assert refused(pressure) == [], "one turn in time is enough"


def test_a_machine_that_stood_still_once_sheds_nothing() -> None:
    pressure = Pressure()
    for lag_s in (0.0, 30.0, 0.0, 30.0, 0.0, 30.0):
        pressure.lag(lag_s)
        assert refused(pressure) == []


def test_it_says_what_it_is_short_of() -> None:
    pressure = Pressure()
    pressure.memory(0.9)
    assert "memory; requests of a higher priority are served" in pressure.refusal().message
    pressure.memory(0.1)
    for _ in range(LAG_TICKS):
        pressure.lag(5.0)
    assert pressure.refusal().message.endswith("short of processor time")


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    return root


def test_a_cgroup_s_use_counts_less_what_the_kernel_would_give_up(tmp_path: Path) -> None:
    stat = f"anon 5\ninactive_file {GIB // 4}\nodd\n"
    root = write(
        tmp_path, memory__max="1073741824\n", memory__current="1000000000\n", memory__stat=stat
    )
    assert memory_share(1, root) == pytest.approx((1_000_000_000 - GIB / 4) / GIB)


def test_version_one_says_it_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    write(
        tmp_path / "memory",
        memory__limit_in_bytes=str(GIB),
        memory__usage_in_bytes=str(GIB // 2),
        memory__stat="total_inactive_file 0\n",
    )
    assert memory_share(1, tmp_path) == pytest.approx(0.5)


@pytest.mark.parametrize("limit", ["max", str(1 << 62), "", "x"])
def test_without_a_limit_only_its_own_memory_counts(tmp_path: Path, limit: str) -> None:
    root = write(tmp_path, memory__max=limit, memory__current="1000000000000")
    share = memory_share(1, root)
    assert share is None or share < 1e-6
    assert memory_share(None, root) is None


def test_what_its_operators_shed_is_shed_beside_its_own_need() -> None:
    pressure = Pressure()
    pressure.shed(1)
    assert refused(pressure) == [2]
    assert "operators shed" in pressure.refusal().message
    pressure.memory(0.95)
    assert refused(pressure) == [1, 2]
    assert "short of memory" in pressure.refusal().message
    pressure.memory(0.5)
    assert refused(pressure) == [2]
    pressure.shed(0)
    assert refused(pressure) == []
    assert not pressure.sheds
