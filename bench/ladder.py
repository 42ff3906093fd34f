"""CPU of a request whose route has a ladder that it does not need, beside one without a ladder.

Each run is a process of its own, in turn, as of `bench.request`; the one without a ladder is run
twice, so that what a machine makes of the same thing is seen too.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench import request
from tidegate.core.ladder import FAILURES, Rung, When

ROUNDS: Final = 9
LADDER: Final = (
    Rung("short", when=When(budget_percent=80), max_output_tokens=400),
    Rung("again", when=When(slow_first_token_s=3.0, slow_answer_s=20.0), system_prompt="Be brief."),
    Rung("sorry", "apology", When(FAILURES, pressure=True), text="Please try again."),
)
_WITH: Final[dict[str, tuple[Rung, ...]]] = {"none": (), "none again": (), "ladder": LADDER}


def run() -> int:
    """Prints the CPU of each kind with a ladder and without."""
    for kind in request.KINDS:
        rounds = [[_in_process_us(kind, which) for which in _WITH] for _ in range(ROUNDS)]
        plain, again, laddered = (statistics.median(it) for it in zip(*rounds, strict=True))
        ratios = [ladder / none for none, _, ladder in rounds]
        noise = [other / none for none, other, _ in rounds]
        print(
            f"{kind}: {plain:.1f} us of CPU a request without a ladder, {again:.1f} the same "
            f"again, {laddered:.1f} with one; ratio {statistics.median(ratios):.3f} "
            f"(of the same {statistics.median(noise):.3f})",
            flush=True,
        )
    return 0


def _in_process_us(kind: str, which: str) -> float:
    here = Path(__file__).parent.parent
    path = os.pathsep.join((str(here / "src"), str(here)))
    environ = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "bench.ladder", kind, which]
    return float(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)


if __name__ == "__main__":
    print(request.spent_us(sys.argv[1], ladder=_WITH[sys.argv[2]]))
