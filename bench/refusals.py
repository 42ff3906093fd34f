"""How well refusals are told, on `../shared/evals/refusal`: `python -m bench.refusals`.

The rows are split by a hash of their prompt. The rules of `text.model_refusal` were written while
looking at the one half; the figures of the other say how they do on what nobody has looked at.
What the two people who said what each answer is make of each other's word is the bound of it all.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from tidegate.text.model_refusal import model_refusal

_EVALS = Path(__file__).parents[2] / "shared/evals"
ROWS = _EVALS / "refusal/xstest_completions_dev.jsonl"
_FULL = "2_full_refusal"
_RESAMPLES = 2000


class Row(msgspec.Struct):
    """One answer of a model, and what two people said of it."""

    prompt_id: str
    completion: str
    label: str
    annotation_1: str
    annotation_2: str

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
    return _sum([_found(row) for row in some])


def ordinary_answers() -> list[str]:
    """Answers to questions that there is no reason to refuse: LLMBar, PandaLM, MT-Bench."""
    texts: list[str] = []
    for name, keys in (
        ("judge_calibration/llmbar_pairs.jsonl", ("output_1", "output_2")),
        ("judge_calibration/pandalm_test.jsonl", ("response1", "response2")),
    ):
        for line in (_EVALS / name).read_bytes().splitlines():
            row = msgspec.json.decode(line, type=dict[str, object])
            texts += [str(row[key]) for key in keys]
    for line in (_EVALS / "mt_bench/reference_answer_gpt-4.jsonl").read_bytes().splitlines():
        answer = msgspec.json.decode(line, type=_Reference)
        texts += [turn for choice in answer.choices for turn in choice.turns]
    return texts


class _Turns(msgspec.Struct):
    turns: list[str]


class _Reference(msgspec.Struct):
    choices: list[_Turns]


def _found(row: Row) -> Score:
    told, is_full = model_refusal(row.completion.encode()).extent == "full", row.label == _FULL
    return Score(told and is_full, told and not is_full, is_full and not told)


def _sum(scores: list[Score]) -> Score:
    return Score(
        sum(one.right for one in scores),
        sum(one.wrong for one in scores),
        sum(one.missed for one in scores),
    )


def _between(some: list[Row], figure: Callable[[Score], float]) -> str:
    """What 95 of 100 resamples say. Prompts are drawn, as answers to one are much the same."""
    by_prompt: dict[str, list[Score]] = {}
    for row in some:
        by_prompt.setdefault(row.prompt_id, []).append(_found(row))
    prompts = [_sum(scores) for scores in by_prompt.values()]
    draw = random.Random(0).choices
    figures = sorted(figure(_sum(draw(prompts, k=len(prompts)))) for _ in range(_RESAMPLES))
    return f"{figures[_RESAMPLES // 40]:.3f}-{figures[-_RESAMPLES // 40]:.3f}"


def _people_agree(some: list[Row]) -> float:
    """The F1 of one person's full refusals against the other's."""
    pairs = [(row.annotation_1 == _FULL, row.annotation_2 == _FULL) for row in some]
    return 2 * sum(a and b for a, b in pairs) / sum(a + b for a, b in pairs)


def main() -> None:
    every = rows()
    for name, held_out in (("looked at", False), ("held out", True)):
        some = [row for row in every if row.held_out == held_out]
        it = score(some)
        print(
            f"{name}: {len(some)} answers, full refusals:"
            f" precision {it.precision:.3f} ({_between(some, lambda s: s.precision)}),"
            f" recall {it.recall:.3f} ({_between(some, lambda s: s.recall)}),"
            f" F1 {it.f1:.3f} ({_between(some, lambda s: s.f1)});"
            f" one person against the other: F1 {_people_agree(some):.3f}"
        )
    found = Counter(model_refusal(text.encode()).extent for text in ordinary_answers())
    print(f"ordinary answers: {dict(found)}")


if __name__ == "__main__":
    main()
