"""Judges that were held against people: who may decide, how each has kept to that, and where a plan
has them look."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, Table, delete, func, select

from tidegate.core.judged_hit import routes_of_hits
from tidegate.core.purpose import EVAL
from tidegate.stores import database
from tidegate.stores.captures import storable
from tidegate.stores.schema import keys, spend
from tidegate.stores.schema_assessed import assessments
from tidegate.stores.schema_judged_hits import judged_hits
from tidegate.stores.schema_judges import judge_looks, judge_scores, judge_seats, judges
from tidegate.stores.spending import quarter_of

# What people are told of a judge, or of where one sits.
ALARM: Final = "alarm"
INFORMS: Final = "informs"
CHANGED: Final = "changed"
EXPIRED: Final = "expired"
ANCHORS: Final = "anchors"

_j, _l, _s = judges.c, judge_looks.c, judge_seats.c
_encode: Final = msgspec.json.Encoder().encode
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class Calibrated(Struct, frozen=True):
    """A judge as it was held against people the last time. `is_calibrated`: it may decide by its
    figures; whether it may now is told by `decides`. `generation` counts calibrations. Of `known`
    verdicts on anchors `agreed` were people's. `figures` (`evals.calibration.Calibration`) and
    `bridge` (`evals.bridge.Bridge`, empty without one) are JSON. `sum_now` is the sum of
    `stats.cusum` since, with the reference and limit that the last look had. `name` is the
    check's."""

    judge: str
    route: str
    name: str
    model: str
    calibrated_at_s: float
    expires_at_s: float
    author: str
    is_calibrated: bool
    anchors: int
    anchors_digest: str
    errors: int
    known: int
    agreed: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    figures: str
    generation: int = 1
    bridge: str = ""
    reference: float | None = None
    sum_limit: float | None = None
    sum_now: float = 0.0
    looked_week: int | None = None
    looked_at_s: float | None = None
    alarm_since_s: float | None = None
    alarm: str = ""

    def decides(self, now_s: float) -> bool:
        return self.is_calibrated and self.alarm_since_s is None and now_s < self.expires_at_s


class Look(Struct, frozen=True):
    """Of `asked` anchors `known` had a verdict, and `agreed` of those were people's."""

    judge: str
    generation: int
    week: int
    at_s: float
    asked: int
    known: int
    agreed: int
    sum_now: float
    is_over: bool


class Seat(Struct, frozen=True):
    """Where routes (`used_by`) have a judge look. `judge` and `model` are empty while nobody has
    answered there; `to_ask` is how often an anchor has to be asked yet before it is known what to
    think of who does, None where that cannot be told; `problem` says why not."""

    seat: str
    route: str
    name: str
    used_by: tuple[str, ...]
    at_s: float
    judge: str = ""
    model: str = ""
    earlier: str = ""
    changed_at_s: float | None = None
    to_ask: int | None = None
    problem: str = ""


def notice_key(whose: str, what: str) -> str:
    """Of a judge's digest, or of a seat."""
    return f"judge/{whose[:32]}/{what}"


def may_decide(connection: Connection, digest: str, now_s: float) -> bool:
    """Whether the judge of this digest is calibrated, that has not expired, and nothing has alarmed
    since."""
    found = find(connection, digest)
    return found is not None and found.decides(now_s)


def find(connection: Connection, digest: str) -> Calibrated | None:
    row = connection.execute(select(judges).where(_j.judge == digest)).mappings().first()
    return None if row is None else Calibrated(**row)


def every(connection: Connection, *, limit: int = 1000) -> list[Calibrated]:
    """The one that was calibrated last first."""
    query = select(judges).order_by(_j.calibrated_at_s.desc(), _j.judge).limit(limit)
    return [Calibrated(**row) for row in connection.execute(query).mappings()]


def keep(connection: Connection, made: Calibrated) -> None:
    """In the place of what was known of this judge."""
    _put(connection, judges, asdict(made), "judge")


def alarmed(connection: Connection) -> dict[str, str]:
    """What is said, by route of the plan, of a judge of its answers that decides nothing since an
    alarm."""
    found: dict[str, str] = {}
    query = select(_s.used_by, _j.alarm).join_from(judge_seats, judges, _s.judge == _j.judge)
    for row in connection.execute(query.where(_j.alarm_since_s.is_not(None)).order_by(_s.seat)):
        for route in _names(row.used_by):
            found.setdefault(route, f"its judge drifts: {row.alarm}")
    return found


def note_look(connection: Connection, look: Look) -> None:
    """Each once: the first of a week stands."""
    statement = database.upsert(connection, judge_looks).on_conflict_do_nothing()
    connection.execute(statement, [asdict(look)])


def looks(connection: Connection, digest: str, *, limit: int = 60) -> list[Look]:
    """The newest first."""
    query = select(judge_looks).where(_l.judge == digest).order_by(_l.at_s.desc()).limit(limit)
    return [Look(**row) for row in connection.execute(query).mappings()]


def seats(connection: Connection) -> dict[str, Seat]:
    """By their names."""
    rows = connection.execute(select(judge_seats).order_by(_s.seat)).mappings()
    return {row["seat"]: Seat(**{**row, "used_by": _names(row["used_by"])}) for row in rows}


def note_seat(connection: Connection, seat: Seat) -> None:
    values = {**asdict(seat), "used_by": _encode(seat.used_by).decode()}
    _put(connection, judge_seats, values, "seat")


def leave_seats(connection: Connection, taken: Iterable[str]) -> None:
    """Forget those that no plan has any more."""
    connection.execute(delete(judge_seats).where(_s.seat.not_in(list(taken))))


def seen(connection: Connection, routes: Sequence[str], since_s: float) -> frozenset[str]:
    """Digests of judges that have looked at live answers of these routes since, or at kept ones
    where they are named so (`core.judged_hit.seated`)."""
    found = set[str]()
    for c, names in ((assessments.c, routes), (judged_hits.c, routes_of_hits(routes))):
        query = select(c.judge).distinct()
        query = query.where(c.route.in_(names), c.at_s >= since_s, c.judge != "")
        found.update(it for row in connection.execute(query) for it in row.judge.split())
    return frozenset(found)


def spent_nanousd(
    connection: Connection, key_name: str, since_s: float, route: str | None = None
) -> int:
    """What control's keys of this name have spent since, at one route or at all, as far as it is
    recorded; of what nobody knows the cost of, the most that it could come to."""
    ours = select(keys.c.id).where(keys.c.name == key_name, keys.c.purpose == EVAL)
    c = spend.c
    total = func.coalesce(func.sum(c.cost_nanousd + c.most_nanousd), 0)
    query = select(total).where(c.key_id.in_(ours), c.quarter >= quarter_of(since_s))
    if route is not None:
        query = query.where(c.route == route)
    return int(connection.execute(query).scalar_one())


def drop_old(engine: Engine, before_s: float) -> None:
    """Weekly looks and seats of before, and judges that have expired before with all that they
    said."""
    with database.writing(engine, alone=False) as connection:
        gone = select(_j.judge).where(_j.expires_at_s < before_s)
        connection.execute(delete(judge_scores).where(judge_scores.c.judge.in_(gone)))
        connection.execute(delete(judge_looks).where((_l.at_s < before_s) | _l.judge.in_(gone)))
        connection.execute(delete(judges).where(_j.expires_at_s < before_s))
        connection.execute(delete(judge_seats).where(_s.at_s < before_s))


def _put(connection: Connection, table: Table, values: dict[str, Any], by: str) -> None:
    plain = {name: storable(value) for name, value in values.items()}
    statement = database.upsert(connection, table).values(plain)
    fresh = {name: statement.excluded[name] for name in plain if name != by}
    connection.execute(statement.on_conflict_do_update(index_elements=[by], set_=fresh))
