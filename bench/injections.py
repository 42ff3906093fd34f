"""How injections are told, on texts that nothing was learnt or written from: a part of
`python -m bench.guardrails`. The patterns' score, the model's, and either of both.
"""

from collections.abc import Callable
from typing import Final

from bench.injection_texts import (
    LEARNT,
    TESTED,
    documents,
    in_mails,
    injections,
    requests,
    word_runs,
)
from tidegate.core.guardrail import Source
from tidegate.guardrails import injection, injection_model
from tidegate.guardrails._injection_reading import sentences

_KB: Final = 1024


def figures() -> None:
    attacks = injections(TESTED)
    unlike = _unlike(attacks, injections(LEARNT))
    _print("what users ask, injections", {"deepset's injections": attacks}, "asked")
    _print("of these, such as share no four words with any learnt", {"deepset's": unlike}, "asked")
    _print("what users ask, ordinary", requests(TESTED), "asked")
    planted = {f"an e-mail with BIPIA's {place}": it for place, it in in_mails(TESTED).items()}
    _print("what tools bring, planted", planted, "brought")
    _print("what tools bring, ordinary", documents(TESTED), "brought")


def _print(title: str, groups: dict[str, list[str]], source: Source) -> None:
    print(f"{title} (of how many; found by patterns, by the model, by either)")
    finds: tuple[Callable[[str], bool], ...] = (
        lambda it: injection.score(it) >= injection.THRESHOLD,
        lambda it: injection_model.score(it, source) >= injection_model.THRESHOLD,
        lambda it: finds[0](it) or finds[1](it),
    )
    totals = [0, 0, 0, 0]
    for name, texts in groups.items():
        by = [sum(map(find, texts)) for find in finds]
        kb = sum(map(len, texts)) / _KB / len(texts)
        print(f"  {name} ({len(texts)} of {kb:.1f} KB): {by[0]}, {by[1]}, {by[2]}")
        totals = [a + b for a, b in zip(totals, (len(texts), *by), strict=True)]
    of = totals[0]
    if "ordinary" not in title:
        return
    shares = ", ".join(f"{it} ({it / of:.2%})" for it in totals[1:])
    print(f"  together, of {of}: {shares}")


def _unlike(texts: list[str], learnt: list[str]) -> list[str]:
    """Many of the set's rows are others put together."""
    known = set[str]().union(*(_runs(it) for it in learnt))
    return [it for it in texts if not _runs(it) & known]


def _runs(text: str) -> set[str]:
    return word_runs(word for one in sentences(text) for word in one)


if __name__ == "__main__":
    figures()
