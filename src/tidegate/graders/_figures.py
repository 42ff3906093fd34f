"""A figure of an answer that may not be above or below a bound. What nobody knows is an error."""

import math

from tidegate.core.grading import Grade


def within(figure: float | None, least: float | None, most: float | None, what: str) -> Grade:
    """`what` names the figure with its unit, such as "output tokens"."""
    if figure is None or math.isnan(figure):
        return Grade("error", why=f"nobody knows its {what}")
    if most is not None and figure > most:
        return Grade("fail", 0.0, f"{figure:.6g} {what}, and at most {most:.6g} are allowed")
    if least is not None and figure < least:
        return Grade("fail", 0.0, f"{figure:.6g} {what}, and at least {least:.6g} are asked")
    return Grade("pass", 1.0, f"{figure:.6g} {what}")


def all_of(grades: list[Grade]) -> Grade:
    """The worst of several: an error before a failure, a failure before a pass."""
    for verdict in ("error", "fail"):
        for grade in grades:
            if grade.verdict == verdict:
                return grade
    return grades[0]


def wrong_bounds(least: float | None, most: float | None, name: str) -> str | None:
    """What is wrong with a pair of bounds."""
    if least is None and most is None:
        return f"it needs a bound: `most_{name}` or `least_{name}`"
    if least is not None and most is not None and least > most:
        return f"`least_{name}` is above `most_{name}`"
    return None
