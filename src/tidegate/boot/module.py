"""The command line of one of our own processes."""

import sys
from collections.abc import Sequence


def module_argv(module: str, arguments: Sequence[str], parent_fd: int) -> list[str]:
    """`python -P -m module ... --parent-fd N`. -P keeps the working directory off the path, so
    that a file lying there cannot take a module's place."""
    return [sys.executable, "-P", "-m", module, *arguments, "--parent-fd", str(parent_fd)]
