"""Where things lie, and that the feed's socket fits into an address."""

import socket
from pathlib import Path

from tidegate.core.layout import Layout, segment_name


def test_everything_lies_below_the_state_directory(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    paths = [*vars(layout).values(), layout.journal_of("gateway-0"), layout.feed_socket]
    assert all(path.is_relative_to(tmp_path) for path in paths)
    assert layout.journal_of("gateway-0").parent == layout.journal


def test_segments_sort_by_their_numbers() -> None:
    numbers = [1, 9, 10, 99, 100, 10**11]
    assert sorted(segment_name(n) for n in numbers) == [segment_name(n) for n in numbers]


def test_a_deep_state_directory_still_has_a_socket_that_can_be_bound(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    path = Layout(deep).feed_socket
    assert path != Layout(tmp_path / ("d" * 60) / ("f" * 60)).feed_socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    path.unlink()


def test_a_deep_directory_s_socket_is_the_same_by_any_name(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    (tmp_path / "link").symlink_to(deep)
    assert Layout(deep).feed_socket == Layout(deep / ".." / deep.name).feed_socket
