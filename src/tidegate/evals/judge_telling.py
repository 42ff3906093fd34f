"""What people and routes are told of judges: in the transaction of what it tells of. Nothing that
was said is in it."""

from sqlalchemy import Connection

from tidegate.core.controller import Tell
from tidegate.evals.calibration import Calibration, why_not
from tidegate.evals.judge_looks import Agreed
from tidegate.stores import assessments, judges, notices
from tidegate.stores.judges import Calibrated, Seat


def why(found: Agreed, row: Calibrated) -> str:
    """Why a look is an alarm."""
    if found.is_silent:
        silent = found.asked - found.known
        return f"of {found.asked} anchors it gave no verdict of {silent}"
    expected = found.known * row.agreed / max(1, row.known)
    return (
        f"of its last {found.known} anchors it judged {found.agreed} as people do, where "
        f"{expected:.0f} were expected, and fewer than that for some time"
    )


def still(found: Calibration) -> str:
    """Why an alarm stays after it was calibrated anew."""
    return f"calibrated anew, it may only inform: {'; '.join(why_not(found))}"


def changed(connection: Connection, held: Seat, now_s: float) -> None:
    """Somebody else sits there now."""
    title = f"Another judge answers at {held.route}"
    text = (
        f"{held.model} judges {held.name} for {', '.join(held.used_by)}. It is another judge and "
        "only informs until it is held against the plan's anchors, which has begun."
    )
    tell = Tell("judge", judges.notice_key(held.seat, judges.CHANGED), "ticket", title, text)
    notices.note(connection, tell, now_s)


def concluded(connection: Connection, held: Seat, made: Calibrated, now_s: float) -> None:
    """Of a calibration or a look, however it ended."""
    expired(connection, held, made, now_s)
    alarm = judges.notice_key(made.judge, judges.ALARM)
    title = f"The judge {made.name} at {made.route} drifts"
    if made.alarm_since_s is not None:
        text = (
            f"{made.model}: {made.alarm}. Releases that are judged on {', '.join(held.used_by)} "
            "pause, and it decides nothing until it is calibrated anew, which the background does "
            "once. See `tidegate judge status`."
        )
        notices.note(connection, Tell("judge", alarm, "ticket", title, text), now_s)
    else:
        text = "It was calibrated anew and may decide."
        notices.note(connection, _over(alarm, title, text), now_s)
    informs = judges.notice_key(held.seat, judges.INFORMS)
    title = f"The judge {made.name} at {made.route} may only inform"
    if made.is_calibrated:
        notices.note(connection, _over(informs, title, "It may decide."), now_s)
        over = _over(judges.notice_key(held.seat, judges.CHANGED), title, "It was calibrated.")
        notices.note(connection, over, now_s)
    elif made.alarm_since_s is None:
        text = f"{made.model} was held against {made.anchors} anchors. See `tidegate judge status`."
        notices.note(connection, Tell("judge", informs, "ticket", title, text), now_s)
    _have_wait(connection, now_s)


def expired(connection: Connection, held: Seat, row: Calibrated, now_s: float) -> None:
    """A judge that nobody could look at for so long that it decides nothing; or the end of that."""
    key = judges.notice_key(row.judge, judges.EXPIRED)
    title = f"The judge {row.name} at {row.route} was not looked at for long"
    if now_s < row.expires_at_s:
        notices.note(connection, _over(key, title, "It was looked at."), now_s)
        return
    text = (
        f"{row.model} decides nothing on answers of {', '.join(held.used_by)} until it can be "
        f"asked of anchors again. {held.problem or 'See `tidegate judge status`'}."
    )
    notices.note(connection, Tell("judge", key, "ticket", title, text), now_s)


def unreadable(connection: Connection, seat: Seat, problem: str | None, now_s: float) -> None:
    """Anchors that cannot be read; None: they can."""
    key = judges.notice_key(seat.seat, judges.ANCHORS)
    title = f"Anchors of the judge {seat.name} cannot be read"
    if problem is None:
        tell = _over(key, title, "They can be read.")
    else:
        tell = Tell("judge", key, "ticket", title, f"{problem}. What was found before stands.")
    notices.note(connection, tell, now_s)


def _have_wait(connection: Connection, now_s: float) -> None:
    """Routes wait whose judge is in alarm, from the same moment. That they do not any more is told
    by what grades them (`evals.live_grading`)."""
    waiting = assessments.not_graded(connection)
    for route, alarm in judges.alarmed(connection).items():
        if route not in waiting:
            assessments.note_ungraded(connection, route, alarm, now_s)


def _over(key: str, title: str, text: str) -> Tell:
    return Tell("judge", key, "ticket", title, text, resolved=True)
