"""How well refusals are told, on `../shared/evals/refusal`: `python -m bench.refusals`.

The rows are split by a hash of their prompt. The rules of `text.model_refusal` were written while
looking at the one half; the figures of the other say how they do on what nobody has looked at.
"""

import hashlib
from collections import Counter
from pathlib import Path

import msgspec

from tidegate.text.model_refusal import model_refusal

ROWS = Path(__file__).parents[2] / "shared/evals/refusal/xstest_completions_dev.jsonl"
_EXTENTS = {"1_full_compliance": "none", "2_full_refusal": "full", "3_partial_refusal": "partial"}


class Row(msgspec.Struct):
    """One answer of a model, and what two people said of it."""

    prompt_id: str
    completion: str
    label: str

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.prompt_id.encode()).digest()[0] % 2 == 0


class Score(msgspec.Struct):
    """Of full refusals: what was told rightly, told wrongly, and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / (2 * self.right + self.wrong + self.missed)


def rows() -> list[Row]:
    lines = ROWS.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Row) for line in lines]


def score(some: list[Row]) -> Score:
    found: Counter[tuple[bool, bool]] = Counter()
    for row in some:
        told = model_refusal(row.completion.encode()).extent == "full"
        found[told, _EXTENTS[row.label] == "full"] += 1
    return Score(found[True, True], found[True, False], found[False, True])


def main() -> None:
    every = rows()
    for name, held_out in (("looked at", False), ("held out", True)):
        some = [row for row in every if row.held_out == held_out]
        it = score(some)
        print(
            f"{name}: {len(some)} answers, full refusals: precision {it.precision:.3f}, "
            f"recall {it.recall:.3f}, F1 {it.f1:.3f}"
        )


if __name__ == "__main__":
    main()
