"""CPU of a request whose route has a ladder that it does not need, beside one without a ladder.

Both are asked in turn, batch by batch, in one process, so that what else a machine does meanwhile
meets both alike; a second route without one tells how far that goes.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Final

from bench import request
from tidegate.core.ladder import FAILURES, Rung, When

BATCHES, BATCH = 600, 20
LADDER: Final = (
    Rung("short", when=When(budget_percent=80), max_output_tokens=400),
    Rung("again", when=When(slow_first_token_s=3.0, slow_answer_s=20.0), system_prompt="Be brief."),
    Rung("sorry", "apology", When(FAILURES, pressure=True), text="Please try again."),
)


def run() -> int:
    """Prints the CPU of each kind with a ladder and without."""
    for kind in ("whole", "stream"):
        with tempfile.TemporaryDirectory() as folder:
            plain, again, laddered = request.on_loop(_alternated(Path(folder), kind))
        without, other, with_one = (_undisturbed(of_one) for of_one in (plain, again, laddered))
        print(
            f"{kind}: {without:.1f} us of CPU a request without a ladder, "
            f"{with_one - without:+.1f} with one (two without one: {other - without:+.1f})",
            flush=True,
        )
    return 0


def _undisturbed(took_us: list[float]) -> float:
    """The tenth percentile: what else a machine does meanwhile only adds to it."""
    return statistics.quantiles(took_us, n=10)[0]


async def _alternated(folder: Path, kind: str) -> tuple[list[float], list[float], list[float]]:
    """Microseconds a request of each batch: without a ladder, without one again, and with one."""
    asking = [
        await request.caller(_made(folder / name), kind, ladder=ladder)
        for name, ladder in (("plain", ()), ("again", ()), ("ladder", LADDER))
    ]
    await request.warm(*asking)
    rounds = []
    for number in range(BATCHES):  # each is asked first, second and last as often
        took_us = [0.0] * len(asking)
        for place in range(len(asking)):
            at = (number + place) % len(asking)
            took_us[at] = await request.batch_us(asking[at], BATCH)
        rounds.append(took_us)
    plain, again, laddered = (list(of_one) for of_one in zip(*rounds, strict=True))
    return plain, again, laddered


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
