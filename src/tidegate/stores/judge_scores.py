"""What judges said of anchors: each once for each time that it was asked, and never asked again."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, delete, select

from tidegate.stores import database
from tidegate.stores.schema_judges import judge_scores

_AT_ONCE: Final = 500

# What the occasions of calibrations begin with; others are weeks.
CALIBRATION: Final = "calibration-"

_c = judge_scores.c


class Score(Struct, frozen=True):
    """`anchor` is its key, `turn` 0 or 1: it is asked twice when a judge is calibrated. `passes`
    None: it was reached and gave no verdict. `agrees` with people, as they are known to say then.
    `score` is from 0 to 1."""

    judge: str
    occasion: str
    anchor: str
    turn: int
    passes: bool | None
    agrees: bool | None
    score: float | None
    at_s: float


def add(connection: Connection, several: Iterable[Score]) -> None:
    """The first of each stands."""
    rows = [asdict(it) for it in several]
    for at in range(0, len(rows), _AT_ONCE):
        statement = database.upsert(connection, judge_scores).on_conflict_do_nothing()
        connection.execute(statement, rows[at : at + _AT_ONCE])


def of(connection: Connection, judge: str, occasion: str) -> list[Score]:
    """All of one occasion."""
    query = select(judge_scores).where(_c.judge == judge, _c.occasion == occasion)
    rows = connection.execute(query.order_by(_c.anchor, _c.turn)).mappings()
    return [Score(**row) for row in rows]


def forget(connection: Connection, judge: str, occasions: Iterable[str]) -> None:
    """What was said then."""
    connection.execute(
        delete(judge_scores).where(_c.judge == judge, _c.occasion.in_(list(occasions)))
    )


def drop_old(engine: Engine, before_s: float) -> int:
    """Delete those of weeks before, in short transactions; how many are gone. Calibrations go with
    their judges."""
    which = (_c.at_s < before_s) & ~_c.occasion.startswith(CALIBRATION, autoescape=True)
    some = select(_c.judge, _c.occasion).where(which).distinct().limit(_AT_ONCE)
    gone = 0
    while True:
        with database.writing(engine, alone=False) as connection:
            found = connection.execute(some).all()
            for judge, occasion in found:
                one = delete(judge_scores).where(_c.judge == judge, _c.occasion == occasion)
                gone += connection.execute(one).rowcount
        if len(found) < _AT_ONCE:
            return gone
