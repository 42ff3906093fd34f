"""A loop that stands still ends its process, and one that only works hard does not."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import asyncio, sys, time
from tidegate.beside.stalls import end_when_stalled
async def main(key="canary-of-a-frame"):
    watching = asyncio.create_task(end_when_stalled(0.5))
    await asyncio.sleep(0)
    for pause_s in {pauses}:
        time.sleep(pause_s)
        await asyncio.sleep(0.06)
    watching.cancel()
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("pauses", "status"), [([0.1] * 8, 0), ([0.1, 20], 1)], ids=["hard", "still"]
)
def test_a_loop_that_stands_still(pauses: list[float], status: int) -> None:
    program = PROGRAM.format(pauses=pauses)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=15,
    )
    assert ended.returncode == status, ended.stderr
    assert ("Timeout" in ended.stderr) == (status == 1)
    assert "canary-of-a-frame" not in ended.stderr
