"""What detectors do with the spans that they have found."""

from collections.abc import Iterable

from tidegate.core.guardrail import Span


def first_longest(found: Iterable[Span]) -> list[Span]:
    """In order; the first of any that overlap, the longest of those that begin together."""
    kept: list[Span] = []
    for one in sorted(found, key=lambda it: (it[0], -it[1])):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept
