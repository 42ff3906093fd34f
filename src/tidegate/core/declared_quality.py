"""`quality` of a route: how good its live answers are found to be, in the background."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import RouteName, Text, Usd


class DeclaredHits(Struct, frozen=True, omit_defaults=True):
    """Kept answers that were given again, and those that the semantic tier would have given: the
    judge says whether each is right for the question that it was found for."""

    per_hour: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="The most of them that are judged in an hour, as many of one tier as of "
            "another.",
        ),
    ] = 20
    anchors: Annotated[
        Text | None,
        Meta(
            description="Answers of which people have said whether they are right for a question, "
            "as `anchors` of `quality`. Default: its judge only informs."
        ),
    ] = None


class DeclaredQuality(Struct, frozen=True, omit_defaults=True):
    """Of captured answers a sample is graded, as many of each arm and version as of any other.
    Nobody's request waits for it."""

    checks: Annotated[
        str | None,
        Meta(
            extra={"read": "value"},
            description="What an answer is checked by, a list as in a suite of evals. Default: "
            "nothing is graded.",
        ),
    ] = None
    judge: Annotated[
        RouteName | None,
        Meta(description="The route that is asked by checks that need a judge."),
    ] = None
    judge_parameters: Annotated[
        str | None,
        Meta(
            extra={"read": "json"},
            description="Members of the body of each question to the judge, such as "
            "`{temperature: 0}`.",
        ),
    ] = None
    anchors: Annotated[
        Text | None,
        Meta(
            description="Answers that people have judged, by which it is known whether the judge "
            "may hold a release back: a file of JSON lines in the repository of prompts, or beside "
            "the plan file where it has none. Default: its judge only informs."
        ),
    ] = None
    per_hour: Annotated[
        int, Meta(ge=1, le=100_000, description="The most answers that are graded in an hour.")
    ] = 60
    most_usd_per_day: Annotated[
        Usd, Meta(description="The most that judges cost in a day; what is left waits.")
    ] = Decimal(1)
    hits: Annotated[
        DeclaredHits | None,
        Meta(
            description="Whether answers given from the cache are judged too, out of the same "
            "money. Default: no."
        ),
    ] = None
    follow_up: Annotated[
        bool,
        Meta(
            description="Whether users' next turns are looked at for having to ask again, where "
            "conversations are captured."
        ),
    ] = True
