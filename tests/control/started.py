"""Control as a process of its own, for tests."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from tidegate.core.layout import Layout

DEADLINE_S = 60.0


class Started:
    """One control process on a free port."""

    def __init__(self, layout: Layout, plan: Path, *options: str) -> None:
        self.layout = layout
        (layout.run / "control.url").unlink(missing_ok=True)
        read, self.parent = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "tidegate.control", "--state", str(layout.state)),
                *("--plan", str(plan), "--parent-fd", str(read)),
                *(options or ("--listen", "127.0.0.1:0")),
            ],
            pass_fds=(read,),
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(read)

    def get(self, path: str) -> dict[str, object]:
        url = (self.layout.run / "control.url").read_text().strip()
        token = self.layout.operator_token.read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        answer: dict[str, object] = httpx2.get(url + path, headers=headers).json()
        return answer

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(OSError, httpx2.HTTPError):
                if condition():
                    return
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def version(self) -> object:
        return self.get("/api/plan")["version"]

    def end(self) -> tuple[int, str]:
        """Wait for its end; status and what it said."""
        _, said = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, said
