"""What the tests of a release find and what they find wrongly, in simulated releases.

Prints a row a case: bar, figure, runs. `--runs` scales the number of releases, `--only` picks.
"""

import multiprocessing
import statistics
import time
from dataclasses import dataclass

from bench import release_judged, release_traffic
from bench.release_cases import CASES, Case
from bench.release_judged import Judged
from bench.release_traffic import Outcome

# Seeds of the figures; what was tried while the tests were made had others, all below.
SEED = 3_000_000


@dataclass(frozen=True)
class Figure:
    case: Case
    runs: int
    outcomes: tuple[Outcome, ...]

    @property
    def share(self) -> float:
        """Of the releases, those held back, or those that passed."""
        if self.case.asks != "safe":
            return sum(said.harm is not None for said in self.outcomes) / self.runs
        metric = self.case.release.harm[0].name
        within = self.case.within
        passed = (said.safe_after.get(metric, within + 1) <= within for said in self.outcomes)
        return sum(passed) / self.runs

    @property
    def median(self) -> float:
        """Canary requests to the harm or the pass, of those that came to it."""
        if self.case.asks == "safe":
            metric = self.case.release.harm[0].name
            found = [said.safe_after[metric] for said in self.outcomes if metric in said.safe_after]
        else:
            found = [said.harm_after for said in self.outcomes if said.harm is not None]
        return statistics.median(found) if found else float("nan")

    def __str__(self) -> str:
        voided = sum(said.ratio_broken for said in self.outcomes)
        tail = f", {voided} by the units' share" if voided else ""
        figure = f"{self.share:.1%}, median {self.median:.0f} {self.case.counted}{tail}"
        return f"| {self.case.name} | {self.case.asked} | {figure} | {self.runs:,} |"

    @property
    def is_kept(self) -> bool:
        """Whether the bar is; of what is to be found, most must be."""
        if self.case.bar is None:
            return True
        if self.case.asks == "found":
            return self.share > 0.5 and self.median <= self.case.bar
        return (self.share >= self.case.bar) if self.case.at_least else self.share <= self.case.bar


def _one(job: tuple[Case, int]) -> Outcome:
    case, seed = job
    release = case.release
    if isinstance(release, Judged):
        return release_judged.run(release, seed, case.until())
    return release_traffic.run(release, seed, case.until())


def measure(case: Case, runs: int, seed: int = SEED) -> Figure:
    """In this process."""
    return Figure(case, runs, tuple(_one((case, seed + index)) for index in range(runs)))


def main(scale: float, only: str) -> int:
    """Two processes; the figures are the same with any number."""
    print("| case | bar | figure | releases |\n| --- | --- | --- | --- |")
    with multiprocessing.Pool(2) as pool:
        for case in CASES:
            if only not in case.name:
                continue
            start = time.monotonic()
            runs = max(10, int(case.runs * scale))
            jobs = [(case, SEED + index) for index in range(runs)]
            outcomes = tuple(pool.imap(_one, jobs, chunksize=5))
            print(Figure(case, runs, outcomes), f"{time.monotonic() - start:.0f} s", flush=True)
    return 0
