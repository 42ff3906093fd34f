"""Who may decide is told by what was found of them, and ends with an alarm or with time."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.judged import DAY_S, calibrated, look, seat
from tests.stores.rig import NOON_S, entries, key, receipt

from tidegate.core.assessment import assessment_of
from tidegate.core.judged_hit import judged_hit, seated
from tidegate.core.purpose import EVAL
from tidegate.stores import assessments, database, judge_scores, judged_hits, judges, keys
from tidegate.stores.audit import Author
from tidegate.stores.judge_scores import Score
from tidegate.stores.ledger import Ledger
from tidegate.stores.spending import QUARTER_S

BY = Author("ada", NOON_S)


def test_a_judge_decides_until_it_expires_or_alarms(engine: Engine) -> None:
    kept = calibrated()
    with database.writing(engine) as connection:
        assert not judges.may_decide(connection, "j1", NOON_S)
        judges.keep(connection, kept)
        assert judges.find(connection, "j1") == kept
        assert judges.may_decide(connection, "j1", NOON_S)
        assert not judges.may_decide(connection, "j1", kept.expires_at_s)
        judges.keep(connection, replace(kept, alarm_since_s=NOON_S, alarm="it drifts"))
        assert not judges.may_decide(connection, "j1", NOON_S)
        judges.keep(connection, replace(kept, is_calibrated=False, calibrated_at_s=NOON_S + 1))
        judges.keep(connection, calibrated("j2", kappa=None, kappa_low=None, kappa_high=None))
        assert not judges.may_decide(connection, "j1", NOON_S)
        assert [it.judge for it in judges.every(connection)] == ["j1", "j2"]


def test_an_alarm_is_of_all_routes_whose_answers_it_judges(engine: Engine) -> None:
    with database.writing(engine) as connection:
        judges.keep(connection, calibrated(alarm_since_s=NOON_S, alarm="it fell"))
        judges.keep(connection, calibrated("j2"))
        judges.note_seat(connection, seat(used_by=("chat", "mail")))
        judges.note_seat(connection, seat("s2", judge="j2", used_by=("other",)))
        assert judges.alarmed(connection) == dict.fromkeys(
            ("chat", "mail"), "its judge drifts: it fell"
        )


def test_a_seat_knows_who_sits_there(engine: Engine) -> None:
    one = seat()
    with database.writing(engine) as connection:
        judges.note_seat(connection, one)
        moved = replace(one, judge="j2", earlier="j1", changed_at_s=NOON_S, to_ask=7, problem="\0x")
        judges.note_seat(connection, moved)
        judges.note_seat(connection, seat("s2"))
        assert judges.seats(connection)["s1"] == replace(moved, problem="\ufffdx")
        judges.leave_seats(connection, ["s2"])
        assert set(judges.seats(connection)) == {"s2"}


def test_the_first_look_of_a_week_stands(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for one in (look(), look(agreed=1), look(2959), look(generation=2, at_s=NOON_S - 1)):
            judges.note_look(connection, one)
        assert judges.looks(connection, "j1", limit=2) == [look(2959), look()]


def test_which_judges_have_looked_at_live_answers(engine: Engine) -> None:
    def of(route: str, judge: str, at_s: float) -> None:
        made = assessment_of(receipt(NOON_S, route=route), "quality", False, at_s)
        assessments.store(connection, [replace(made, judge=judge)])

    with database.writing(engine) as connection:
        of("chat", "j1", NOON_S)
        of("chat", "j2 j4", NOON_S - 60)
        of("mail", "j3", NOON_S)
        of("chat", "", NOON_S)
        assert judges.seen(connection, ["chat"], NOON_S) == {"j1"}
        assert judges.seen(connection, ["chat", "mail"], NOON_S - 60) == {"j1", "j2", "j3", "j4"}
        hit = judged_hit(receipt(NOON_S, route="chat"), "quality", False, NOON_S)
        judged_hits.store(connection, [replace(hit, judge="j5")])
        assert judges.seen(connection, [seated("chat")], NOON_S) == {"j5"}
        assert judges.seen(connection, ["chat"], NOON_S) == {"j1"}


def test_money_is_what_our_keys_spent_there_since(engine: Engine) -> None:
    for key_id, name, purpose in (
        ("k1", "ours", EVAL),
        ("k2", "ours", EVAL),
        ("k3", "theirs", EVAL),
        ("k4", "ours", "production"),
    ):
        keys.create(engine, key(key_id, name=name, purpose=purpose), BY)
    several = [
        receipt(NOON_S, key_id=k, route=route, cost_nanousd=cost, most_nanousd=9)
        for k, route, cost in (
            ("k1", "referee", 5),
            ("k2", "referee", None),
            ("k1", "chat", 100),
            ("k3", "referee", 100),
            ("k4", "referee", 100),
        )
    ]
    several.append(receipt(NOON_S - QUARTER_S, key_id="k1", route="referee", cost_nanousd=1000))
    Ledger(engine).write(entries(*several), [])
    with database.reading(engine) as connection:
        assert judges.spent_nanousd(connection, "ours", NOON_S, "referee") == 14
        assert judges.spent_nanousd(connection, "ours", NOON_S) == 114
        assert judges.spent_nanousd(connection, "nobody", NOON_S) == 0


def test_those_that_expired_long_ago_go_with_all_they_said(engine: Engine) -> None:
    with database.writing(engine) as connection:
        judges.keep(connection, calibrated())
        judges.keep(connection, calibrated("j2", expires_at_s=NOON_S))
        judges.note_look(connection, look())
        judges.note_look(connection, look(2900))
        judges.note_seat(connection, seat())
        judges.note_seat(connection, seat("s2", at_s=NOON_S - 3 * DAY_S))
        said = [Score(it, "calibration-1", "a", 0, True, True, 1.0, NOON_S) for it in ("j1", "j2")]
        judge_scores.add(connection, said)
    judges.drop_old(engine, NOON_S - DAY_S)
    with database.reading(engine) as connection:
        assert len(judges.every(connection)) == 2
        assert [it.week for it in judges.looks(connection, "j1")] == [2958]
        assert set(judges.seats(connection)) == {"s1"}
    judges.drop_old(engine, NOON_S + 1)
    with database.reading(engine) as connection:
        assert [it.judge for it in judges.every(connection)] == ["j1"]
        assert judge_scores.of(connection, "j2", "calibration-1") == []
        assert len(judge_scores.of(connection, "j1", "calibration-1")) == 1
