"""Tidegate as its users run it: `tidegate up` as a process of its own, on any free ports."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from tests.stores import rig

from tidegate.cli._client import Control
from tidegate.control.shapes import KeyMade, NewKey
from tidegate.core.layout import Layout

START_S = 30.0
STOP_S = 60.0
LOOK_S = 0.02


class Output:
    """What a process prints, kept line by line while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: list[str] = []
        self._grown = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        with self._grown:
            return "".join(self._lines)

    def wait_for(self, pattern: str, timeout_s: float = START_S) -> re.Match[str]:
        """The first match in everything printed so far. AssertionError when none comes."""
        with self._grown:
            self._grown.wait_for(
                lambda: self._ended or re.search(pattern, "".join(self._lines)), timeout_s
            )
            found = re.search(pattern, "".join(self._lines))
        assert found, f"{pattern!r} was not printed, but:\n{self.text()}"
        return found

    def end(self) -> None:
        """Wait until everything that was printed is read."""
        self._thread.join(START_S)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._grown:
                    self._lines.append(line)
                    self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()


class House:
    """One `tidegate up`. `plan` is the text of its plan file; None starts the demo."""

    program: Sequence[str] = ("-m", "tidegate.boot")

    def __init__(self, folder: Path, plan: str | None, options: Sequence[str] = ()) -> None:
        self.folder = folder
        self.layout = Layout(folder / "state")
        self.plan_file = folder / "tidegate.yaml"
        if plan is not None:
            self.plan_file.write_text(plan)
            rig.lay(self.layout.ledger_db)  # with none it starts from nothing
        self._demo = plan is None
        self._options = options
        self.process: subprocess.Popen[str] | None = None
        self.output: Output | None = None

    def __enter__(self) -> "House":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until the gateway is ready, control answers, and in front of the demo's
        engine its model is loaded."""
        for left in self.layout.run.glob("*.url"):
            left.unlink()
        self.process = subprocess.Popen(
            [
                *(sys.executable, *self.program, "up"),
                *("--state", str(self.layout.state)),
                *("--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"),
                *self._options,
            ],
            cwd=self.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = Output(self.process)
        deadline_s = time.monotonic() + START_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                self.stop()
                raise AssertionError(self.output.text())
            time.sleep(LOOK_S)
        if self._demo:
            self.output.wait_for(r'base_url="')  # greets once the model answers

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(STOP_S)
        if self.output is not None:
            self.output.end()
        return status

    @property
    def url(self) -> str:
        """Where applications call, without the path."""
        return (self.layout.run / "gateway.url").read_text().strip()

    def ready(self) -> bool:
        return self._answers("gateway.url", "/readyz") and self._answers("control.url", "/livez")

    def _answers(self, url_file: str, path: str) -> bool:
        try:
            address = urlsplit((self.layout.run / url_file).read_text().strip())
            with closing(http.client.HTTPConnection(address.netloc, timeout=2)) as connection:
                connection.request("GET", path)
                return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def control(self) -> Control:
        """Control's API with this house's operator token."""
        return Control(self.layout.state)

    def key(self, name: str = "test") -> str:
        """A fresh key for every route."""
        control = self.control()
        try:
            return control.post("/api/keys", KeyMade, NewKey(name=name, routes=("*",))).key
        finally:
            control.close()
