"""The bench's C programs need Linux and gcc; elsewhere their tests are left out, and said so."""

import shutil
import sys

_BUILDABLE = sys.platform == "linux" and shutil.which("gcc") is not None
collect_ignore = [] if _BUILDABLE else ["test_tools.py"]


def pytest_report_header() -> str:
    return "" if _BUILDABLE else "bench: no Linux with gcc, its C programs are left out"
