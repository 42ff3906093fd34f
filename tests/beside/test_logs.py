"""Nothing of what libraries say gets into the log."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import asyncio, logging, threading, warnings
from tidegate.beside.logs import write_quietly
write_quietly()
def fail():
    raise ValueError("a canary")
async def forgotten():
    fail()
async def main():
    task = asyncio.create_task(forgotten())
    await asyncio.sleep(0.01)
    del task
try:
    fail()
except ValueError:
    logging.getLogger("sdk").exception("of %s", "a canary")
logging.getLogger("sdk").info("a canary")
warnings.warn("a canary", stacklevel=1)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
asyncio.run(main())
"""


def test_who_complains_is_told_and_no_word_of_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=15,
    )
    assert "canary" not in ended.stdout + ended.stderr
    for who in ("any-llm: sdk", "any-llm: py.warnings", "any-llm: asyncio", "tidegate.beside.logs"):
        assert who in ended.stderr
    assert ended.stderr.count("ValueError") == 3
    assert "<string>:6 fail" in ended.stderr
