"""What encoders and the veto cost, and what pairs of real questions bear out:
`python -m bench.encoders encoders|thresholds [FILE]`.

`encoders`: a text of 20 tokens, alone; the veto; and how late a loop that works is while a thread
beside it encodes without a pause, as a gateway's does at its busiest. `thresholds`: the table of
`tidegate cache calibrate --halves`, for each encoder and over the whole file, from
../shared/evals/paraphrase or FILE.
"""

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tidegate.core.encoding import Encoder, open_encoder
from tidegate.evals.question_pairs import halves, read_pairs, scored
from tidegate.stats.precision import Point, Scored, at, learn
from tidegate.text.veto import veto

ASKED = "How can I reset the password of my account when I have lost the phone with it?"
OTHER = "How do I reset my account password if I have lost the phone that it was on?"
_PAIRS = Path("../shared/evals/paraphrase/qqp_dev.jsonl")
_TICK_S = 0.001
_WORK_S = 0.0005
_LAG_S = 20.0
_NICE = 10


def timed(what: Callable[[], object], times: int) -> tuple[float, float]:
    """Seconds, the median: of the clock, and of the CPU, which other processes do not lengthen."""
    took, worked = [], []
    for _ in range(times):
        begun_s, cpu_s = time.perf_counter(), time.thread_time()
        what()
        took.append(time.perf_counter() - begun_s)
        worked.append(time.thread_time() - cpu_s)
    return statistics.median(took), statistics.median(worked)


def lags(encode: Callable[[], object] | None, nice: int = 0) -> tuple[float, float, int]:
    """How late a loop wakes that works half of its time, p50 and p99 in seconds, and how many texts
    a thread has encoded beside it."""
    ended, done = threading.Event(), [0]

    def beside() -> None:
        if nice:
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), own + nice)
        while encode is not None and not ended.is_set():
            encode()
            done[0] += 1

    async def loop() -> list[float]:
        found, until_s = [], time.perf_counter() + _LAG_S
        while (begun_s := time.perf_counter()) < until_s:
            await asyncio.sleep(_TICK_S)
            found.append(time.perf_counter() - begun_s - _TICK_S)
            busy_until_s = time.perf_counter() + _WORK_S
            while time.perf_counter() < busy_until_s:
                pass
        return found

    thread = threading.Thread(target=beside)
    thread.start()
    try:
        late = sorted(asyncio.run(loop()))
    finally:
        ended.set()
        thread.join()
    return late[len(late) // 2], late[int(len(late) * 0.99)], done[0]


def encoders() -> None:
    for name in ("minilm", "static"):
        begun_s = time.perf_counter()
        encoder = open_encoder(name)
        loaded_s = time.perf_counter() - begun_s
        took_s, cpu_s = timed(lambda one=encoder: one.encode([ASKED]), 200)  # type: ignore[misc]
        each_s = timed(lambda one=encoder: one.encode([ASKED] * 64), 5)[1] / 64  # type: ignore[misc]
        print(
            f"{encoder.version}: loaded in {loaded_s:.2f} s; 20 tokens {took_s * 1e3:.2f} ms "
            f"(CPU {cpu_s * 1e3:.2f}), CPU {each_s * 1e3:.2f} ms each of 64 at once"
        )
    _, cost_s = timed(lambda: veto(ASKED, OTHER), 2000)
    print(f"veto of two questions of 17 words: {cost_s * 1e6:.0f} us of CPU")
    _loop()


def _loop() -> None:
    minilm: Encoder = open_encoder("minilm")
    quiet = lags(None)
    print(f"a loop alone: late p50 {quiet[0] * 1e3:.2f}, p99 {quiet[1] * 1e3:.2f} ms")
    for nice in (0, _NICE):
        p50_s, p99_s, texts = lags(lambda: minilm.encode([ASKED]), nice)
        print(
            f"beside minilm without a pause, nice {nice}: p50 {p50_s * 1e3:.2f}, "
            f"p99 {p99_s * 1e3:.2f} ms (+{(p99_s - quiet[1]) * 1e3:.2f}), "
            f"{texts / _LAG_S:.0f} texts a second"
        )


def thresholds(file: Path) -> None:
    pairs = read_pairs(file)
    for name in ("minilm", "static"):
        encoder = open_encoder(name)
        calibration, test = (scored(half, encoder) for half in halves(pairs))
        print(f"\n{encoder.version}")
        for told, learnt_from, shown in (
            ("calibration", calibration, calibration),
            ("test", calibration, test),
            ("whole", [*calibration, *test], [*calibration, *test]),
        ):
            for line in _lines(learnt_from, shown):
                print(f"{told:12}{line}")


def _lines(learnt_from: list[Scored], shown: list[Scored]) -> Iterator[str]:
    learnt = learn(learnt_from, 0.95)
    if learnt.found is None:
        yield f"off: {learnt.why}"
    else:
        yield _line("learnt, veto", at(shown, learnt.found.threshold))
    for threshold in (0.92, 0.95):
        yield _line("fixed, veto", at(shown, threshold))
        yield _line("fixed", at(shown, threshold, vetoed=False))


def _line(name: str, it: Point) -> str:
    precision = "-" if it.precision is None else f"{it.precision:.3f}"
    recall = "-" if it.recall is None else f"{it.recall:.3f}"
    return (
        f"{name:14}{it.threshold:.4f}  taken {it.taken:5}  same {it.same:5}  "
        f"precision {precision} (>= {it.lower:.3f})  recall {recall}"
    )


def main() -> None:
    what, *more = sys.argv[1:] or ["encoders"]
    if what == "encoders":
        encoders()
    elif what == "thresholds":
        thresholds(Path(more[0]) if more else _PAIRS)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
