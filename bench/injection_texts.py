"""Texts of `../shared/evals` for and against injections, in halves: rows of even number are learnt
from, those of odd number tested on, once what is learnt stands.

MIT: deepset's prompts by way of prompt_injection_research, NotInject, BIPIA, LLMBar, GSM8K,
HumanEval. Apache-2.0: IFEval, MT-Bench, PandaLM. CC-BY: CLINC150, Banking77, XSTest. Presidio's
are tested on alone. Quora's, whose terms forbid more than evaluation, are not here.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

EVALS: Final = Path("../shared/evals")
LEARNT, TESTED = 0, 1
_SHORT_CHARS: Final = 400
_SUM: Final = re.compile("<<.*?>>")
_PLACES: Final = ("at its beginning", "in its middle", "at its end")


def rows(name: str) -> list[dict[str, Any]]:
    lines = (EVALS / name).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


def injections(half: int) -> list[str]:
    """Deepset's, in English and German above all."""
    return [it["prompt"] for it in _half(rows("injection/direct_dev.jsonl"), half) if it["label"]]


def planted(half: int) -> list[str]:
    """BIPIA's."""
    attacks = msgspec.json.decode((EVALS / "injection/bipia_text_attack_train.json").read_bytes())
    return list(_half([text for texts in attacks.values() for text in texts], half))


def in_mails(half: int) -> dict[str, list[str]]:
    """Each of BIPIA's in an e-mail, by its place."""
    mails = documents(half)["e-mail"]
    found: dict[str, list[str]] = {}
    for index, attack in enumerate(planted(half)):
        lines = re.split(r"(?<=[.!?])\s|\n", mails[index % len(mails)])
        for place, at in zip(_PLACES, (0, len(lines) // 2, len(lines)), strict=True):
            whole = "\n".join([*lines[:at], attack, *lines[at:]])
            found.setdefault(place, []).append(whole)
    return found


def requests(half: int) -> dict[str, list[str]]:
    """What users ordinarily ask."""
    direct = [it for it in _half(rows("injection/direct_dev.jsonl"), half) if not it["label"]]
    found = {
        "deepset, benign": [it["prompt"] for it in direct if it["source"] == "deepset-en"],
        "NotInject": [it["prompt"] for it in direct if it["source"] == "notinject"],
        "IFEval": [it["prompt"] for it in _half(rows("ifeval/input_data.jsonl"), half)],
        "MT-Bench": [turn for it in _half(_questions(), half) for turn in it["turns"]],
        "PandaLM": [f"{it['instruction']}\n{it['input']}" for it in _half(_tasks(), half)],
        "LLMBar": list(_half(list(_answers()), half)),
        "CLINC150": [it["text"] for it in _half(rows("intents/clinc150_test.jsonl"), half)],
        "Banking77": [it["text"] for it in _half(_table("intents/banking77_test.csv"), half)],
        "XSTest": [it["prompt"] for it in _half(_table("refusal/xstest_prompts_dev.csv"), half)],
        "GSM8K": [it["question"] for it in _half(rows("gsm8k/test.jsonl"), half)],
        "HumanEval, code": [it["prompt"] for it in _half(_human_eval(), half)],
    }
    if half == TESTED:
        found["Presidio"] = [
            it["text"] for it in rows("pii/presidio_synth_dev.jsonl") if it["template_id"] % 2
        ]
    return found


def documents(half: int) -> dict[str, list[str]]:
    """What tools and searches ordinarily bring."""
    answers = list(_half(list(_answers().values()), half))
    mails = _half(rows("injection/bipia_email_train.jsonl"), half)
    tasks = _half(_tasks(), half)
    refused = rows("refusal/xstest_completions_dev.jsonl")
    found = {
        "e-mail": [it["context"] for it in mails],
        "LLMBar's answers": [one for several in answers for one in several],
        "PandaLM's answers": [
            it[name] for it in tasks for name in ("response1", "response2") if _is_text(it[name])
        ],
        "XSTest's answers": [
            it["completion"] for it in refused if int(it["prompt_id"].split("-")[1]) % 2 == half
        ],
        "GSM8K's solutions": [
            _SUM.sub("", it["answer"]) for it in _half(rows("gsm8k/test.jsonl"), half)
        ],
        "HumanEval's code": [
            it["prompt"] + it["canonical_solution"] for it in _half(_human_eval(), half)
        ],
    }
    if half == TESTED:
        found["our pages"] = [it.read_text() for it in sorted(Path("docs").glob("*.md"))]
    return found


def instructions(half: int) -> list[str]:
    """What is said to models, and short."""
    found = [it["instruction"] for it in _half(_tasks(), half)]
    found += _half(list(_answers()), half)
    found += [it["prompt"] for it in _half(rows("ifeval/input_data.jsonl"), half)]
    found += [turn for it in _half(_questions(), half) for turn in it["turns"]]
    return [it for it in found if len(it) < _SHORT_CHARS]


def _half(several: list[Any], half: int) -> list[Any]:
    return several[half::2]


def _questions() -> list[dict[str, Any]]:
    return rows("mt_bench/question.jsonl")


def _tasks() -> list[dict[str, Any]]:
    """PandaLM's, each instruction once."""
    every = rows("judge_calibration/pandalm_test.jsonl")
    return list({it["instruction"]: it for it in every}.values())


def _answers() -> dict[str, list[str]]:
    """LLMBar's, by what was asked."""
    found: dict[str, list[str]] = {}
    for it in rows("judge_calibration/llmbar_pairs.jsonl"):
        found.setdefault(it["input"], [it["output_1"], it["output_2"]])
    return found


def _table(name: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO((EVALS / name).read_text())))


def _human_eval() -> list[dict[str, Any]]:
    data = gzip.decompress((EVALS / "humaneval/HumanEval.jsonl.gz").read_bytes())
    return [msgspec.json.decode(line) for line in data.splitlines()]


def _is_text(it: Any) -> bool:
    return isinstance(it, str) and bool(it)


def word_runs(words: Iterable[str]) -> set[str]:
    """Each four words that stand together; of fewer, all."""
    every = list(words)
    if len(every) < 4:
        return {" ".join(every)}
    return {" ".join(every[at : at + 4]) for at in range(len(every) - 3)}
