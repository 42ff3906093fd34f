"""Command lines of our own processes."""

import sys

from tidegate.boot.module import module_argv


def test_the_working_directory_cannot_take_a_module_s_place() -> None:
    argv = module_argv("tidegate.control", ("--state", "s"), 7)
    assert argv[:4] == [sys.executable, "-P", "-m", "tidegate.control"]
    assert argv[4:] == ["--state", "s", "--parent-fd", "7"]
