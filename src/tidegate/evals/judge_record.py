"""What is to be asked of judges and what it came to, over the store. Everything blocks and may
raise StoreError."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.evals import judge_telling
from tidegate.evals.anchors import Anchor
from tidegate.evals.calibration import (
    Calibration,
    beside,
    calibrate,
    digest_of,
    people_say,
    read_calibration,
)
from tidegate.evals.judge_asking import Verdict
from tidegate.evals.judge_looks import (
    TURNS,
    WEEK_S,
    Agreed,
    agreed,
    calibration,
    cusum_of,
    said_of,
    sample,
    week_of,
    weekly,
)
from tidegate.evals.judge_seats import JudgeSeat
from tidegate.stats.cusum import Cusum
from tidegate.stores import database, judge_scores, judges
from tidegate.stores.judge_scores import Score
from tidegate.stores.judges import Calibrated, Look, Seat

AUTHOR: Final = "control"
# How long a judge may decide after the last look at it.
LASTS_S: Final = 28 * 86_400.0
_SEEN_S: Final = 3600.0

Asks = list[tuple[Anchor, int]]


class Work(Struct, frozen=True):
    """Of one seat: who sat there last (`row` as it was held against people, None while it was
    not), and what has to be asked yet for the occasion; none where nothing is due."""

    seat: JudgeSeat
    anchors: tuple[Anchor, ...]
    held: Seat
    row: Calibrated | None
    occasion: str = ""
    wanted: int = 0
    asks: Asks = []

    @property
    def is_calibration(self) -> bool:
        return self.occasion.startswith(judge_scores.CALIBRATION)


def work_of(engine: Engine, seat: JudgeSeat, anchors: tuple[Anchor, ...], now_s: float) -> Work:
    """What is due at a seat now."""
    with database.reading(engine) as connection:
        held = judges.seats(connection).get(seat.id)
        held = held or Seat(seat.id, seat.route, seat.name, seat.used_by, now_s)
        held = replace(held, name=seat.name, used_by=seat.used_by)
        row = judges.find(connection, held.judge) if held.judge else None
        work = Work(seat, anchors, held, row)
        occasion, wanted = _due(row, anchors, now_s)
        if not occasion:
            return work
        said = judge_scores.of(connection, held.judge, occasion)
    done = {(it.anchor, it.turn) for it in said}
    asks = [(it, turn) for it, turn in wanted if (it.key, turn) not in done]
    return replace(work, occasion=occasion, wanted=len(wanted), asks=asks)


def _due(row: Calibrated | None, anchors: Sequence[Anchor], now_s: float) -> tuple[str, Asks]:
    """The occasion, and all that is asked for it."""
    every = [(it, turn) for turn in range(TURNS) for it in anchors]
    if row is None:
        return calibration(1), every
    if row.alarm_since_s is not None and row.is_calibrated:
        return calibration(row.generation + 1), every
    if row.anchors_digest != digest_of(anchors):
        return calibration(row.generation), every
    week = week_of(now_s)
    # A look of a time that is yet to come was made under a clock that was wrong.
    was_wrong = row.looked_at_s is not None and row.looked_at_s > now_s + WEEK_S
    is_due = row.looked_week is None or week > row.looked_week or was_wrong
    if row.is_calibrated and is_due:
        return weekly(week), [(it, 0) for it in sample(anchors, week)]
    return "", []


def adopt(engine: Engine, taken: Sequence[JudgeSeat], now_s: float) -> None:
    """Where a plan has another rubric, route or parameters now, who judged there before is who the
    new judge is compared with."""
    with database.reading(engine) as connection:
        held = judges.seats(connection)
    ids = {it.id for it in taken}
    gone = [it for it in held.values() if it.seat not in ids and it.judge]
    made = [
        Seat(it.id, it.route, it.name, it.used_by, now_s, earlier=before.judge, changed_at_s=now_s)
        for it in taken
        if it.id not in held and (before := _predecessor(it, gone)) is not None
    ]
    if made:
        with database.writing(engine, alone=False) as connection:
            for seat in made:
                judges.note_seat(connection, seat)


def _predecessor(seat: JudgeSeat, gone: Sequence[Seat]) -> Seat | None:
    """The one of the same check, else any, that looked at answers of the same route."""
    alike = [it for it in gone if set(it.used_by) & set(seat.used_by)]
    return next((it for it in alike if it.name == seat.name), alike[0] if alike else None)


def store(engine: Engine, work: Work, verdicts: Iterable[Verdict], now_s: float) -> Work:
    """Keep what was said, by who said it; the work with who sits there now."""
    held, scores = work.held, list[Score]()
    with database.writing(engine, alone=False) as connection:
        for it in verdicts:
            digest = work.seat.digest(it.model) if it.model else held.judge
            if not digest or it.away is not None:
                continue
            if digest != held.judge:
                held = _moved(held, digest, it.model, now_s)
            if digest == work.held.judge:
                occasion = work.occasion
            else:  # of a judge that has been calibrated before it is nothing that was due
                occasion = "" if judges.find(connection, digest) else calibration(1)
            if occasion:
                scores.append(_score(digest, occasion, it, now_s))
        judge_scores.add(connection, scores)
        if held.judge != work.held.judge:
            judges.note_seat(connection, held)
            if held.earlier and judges.find(connection, held.judge) is None:
                judge_telling.changed(connection, held, now_s)
    return replace(work, held=held)


def _moved(held: Seat, digest: str, model: str, now_s: float) -> Seat:
    earlier = held.judge or held.earlier
    changed_at_s = now_s if held.judge else held.changed_at_s
    return replace(held, judge=digest, model=model, earlier=earlier, changed_at_s=changed_at_s)


def _score(digest: str, occasion: str, it: Verdict, now_s: float) -> Score:
    agrees = None if it.passes is None else it.passes == people_say(it.anchor.labels)
    return Score(digest, occasion, it.anchor.key, it.turn, it.passes, agrees, it.score, now_s)


def silent(engine: Engine, work: Work, asks: Asks, now_s: float) -> None:
    """Keep that these came to no verdict."""
    store(engine, work, [Verdict(anchor, turn) for anchor, turn in asks], now_s)


def note_problem(
    engine: Engine, seat: Seat, problem: str, to_ask: int | None, now_s: float
) -> None:
    """What keeps a seat from being looked at, empty where nothing does."""
    fresh = replace(seat, problem=problem, to_ask=to_ask, at_s=now_s)
    with database.reading(engine) as connection:
        held = judges.seats(connection).get(seat.seat)
    if held is None or held != replace(fresh, at_s=held.at_s) or now_s - held.at_s >= _SEEN_S:
        with database.writing(engine, alone=False) as connection:
            judges.note_seat(connection, fresh)


def conclude(engine: Engine, work: Work, now_s: float) -> Calibrated:
    """Of an occasion for which nothing has to be asked any more."""
    with database.reading(engine) as connection:
        scores = judge_scores.of(connection, work.held.judge, work.occasion)
        before = _before(connection, work)
    if work.is_calibration:
        made = _calibrated(work, scores, before, now_s)
    else:
        look, made = _looked(work, scores, now_s)
    with database.writing(engine, alone=False) as connection:
        judges.keep(connection, made)
        if work.is_calibration:
            gone = [calibration(it) for it in range(1, made.generation - 1)]
            judge_scores.forget(connection, made.judge, gone)
        else:
            judges.note_look(connection, look)
        judge_telling.concluded(connection, work.held, made, now_s)
    return made


def _before(connection: Connection, work: Work) -> Calibration | None:
    """The judge that a new one, or one that is calibrated anew, takes the place of."""
    row = work.row
    if row is None and work.held.earlier:
        row = judges.find(connection, work.held.earlier)
    elif row is not None and calibration(row.generation) == work.occasion:
        row = None  # only its anchors are others
    if row is None or not work.is_calibration:
        return None
    try:
        return read_calibration(row.figures.encode())
    except ValueError:  # of an earlier form
        return None


def _calibrated(
    work: Work, scores: list[Score], before: Calibration | None, now_s: float
) -> Calibrated:
    held, row = work.held, work.row
    found = calibrate(held.judge, held.model, said_of(work.anchors, scores))
    if before is not None:
        found = beside(found, before)
    generation = int(work.occasion.removeprefix(judge_scores.CALIBRATION))
    made = replace(
        calibrated_as(found, (held.route, held.name), AUTHOR, now_s),
        generation=generation,
        bridge=_bridge(found, row),
        looked_week=week_of(now_s),
        looked_at_s=now_s,
    )
    if row is None or row.alarm_since_s is None or made.is_calibrated:
        return _with_cusum(made, work.anchors)
    alarm = judge_telling.still(found)
    return replace(made, alarm_since_s=row.alarm_since_s, alarm=alarm)


def calibrated_as(
    found: Calibration, where: tuple[str, str], author: str, now_s: float
) -> Calibrated:
    """A calibration as it is kept, of a judge at a route and of a check (`where`)."""
    return Calibrated(
        judge=found.judge,
        route=where[0],
        name=where[1],
        model=found.model,
        calibrated_at_s=now_s,
        expires_at_s=now_s + LASTS_S,
        author=author,
        is_calibrated=found.may_decide,
        anchors=found.anchors,
        anchors_digest=found.anchors_digest,
        errors=found.errors,
        known=found.known,
        agreed=found.agreed,
        kappa=found.kappa.value,
        kappa_low=found.kappa.low,
        kappa_high=found.kappa.high,
        figures=msgspec.json.encode(found).decode(),
    )


def _bridge(found: Calibration, row: Calibrated | None) -> str:
    """The one that was built before stays where none is built now."""
    if found.bridge is None:
        return "" if row is None else row.bridge
    return msgspec.json.encode(found.bridge).decode()


def _with_cusum(made: Calibrated, anchors: Iterable[Anchor]) -> Calibrated:
    cusum = cusum_of(Agreed(made.known, made.known, made.agreed), anchors)
    if cusum is None:
        return made
    return replace(made, reference=cusum.reference, sum_limit=cusum.limit)


def _looked(work: Work, scores: list[Score], now_s: float) -> tuple[Look, Calibrated]:
    row = work.row
    if row is None:
        raise ValueError("a weekly look is of a judge that was calibrated")
    week = week_of(now_s)
    asked = sample(work.anchors, week)
    found = agreed(asked, scores)
    if row.reference is None:  # it was calibrated where nobody had said yet how it is looked at
        row = _with_cusum(row, work.anchors)
    made = replace(row, looked_week=week, looked_at_s=now_s, expires_at_s=now_s + LASTS_S)
    is_over = found.is_silent
    if row.reference is not None and row.sum_limit is not None:
        cusum = Cusum(row.reference, row.sum_limit)
        sum_now = cusum.after(row.sum_now, found.known - found.agreed, found.known)
        is_over = is_over or cusum.is_over(sum_now)
        made = replace(made, sum_now=sum_now)
    if is_over:
        made = replace(made, alarm_since_s=now_s, alarm=judge_telling.why(found, row))
    counts = found.asked, found.known, found.agreed
    look = Look(row.judge, row.generation, week, now_s, *counts, made.sum_now, is_over)
    return look, made
