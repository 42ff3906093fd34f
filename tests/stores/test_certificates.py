"""Certificates are kept, found by what they certify, and borne out by the ledger."""

from msgspec.structs import replace
from sqlalchemy import Engine, update
from tests.core.test_certificate import NOW_S, PLAIN
from tests.stores import rig

from tidegate.core.certificate import Fingerprint
from tidegate.stores import certificates, database
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema_prompts import certificates as table


def test_they_are_found_by_what_they_certify_the_newest_first(engine: Engine) -> None:
    other = replace(PLAIN, id="c2", digest="f" * 64)
    with database.writing(engine) as connection:
        for one in (PLAIN, other, replace(PLAIN, id="c3", model="m-2")):
            certificates.add(connection, one)
    with database.reading(engine) as connection:
        assert [it.id for it in certificates.of(connection, PLAIN.digest)] == ["c3", "c1"]
        assert certificates.of(connection, PLAIN.digest)[1] == PLAIN
        assert [it.id for it in certificates.recent(connection)] == ["c3", "c2", "c1"]


def test_one_that_cannot_be_read_certifies_nothing(engine: Engine) -> None:
    with database.writing(engine) as connection:
        certificates.add(connection, PLAIN)
        connection.execute(update(table).values(body="{"))
    with database.reading(engine) as connection:
        assert certificates.of(connection, PLAIN.digest) == []


def test_answers_of_a_run_are_counted_and_those_that_failed_are_not(engine: Engine) -> None:
    of_run = {"session_id": "run-1", "purpose": "eval", "model_wanted": "m-1"}
    of_run |= {"prompt": "support", "prompt_version": "v4", "asked_digest": "q1"}
    changes: tuple[dict[str, str], ...] = (
        *(
            {},
            {"model_fingerprint": "fp_a", "provider": "up"},
            {"asked_digest": "q2"},
        ),  # two questions, one of them twice
        {"error_code": "upstream_timeout", "asked_digest": "q3"},
        {"purpose": "production", "asked_digest": "q4"},
        {"session_id": "run-2", "asked_digest": "q5"},
        *(
            {"model_wanted": "m-2"},
            {"prompt_version": "v3", "model_fingerprint": "fp_b"},
        ),  # what it was compared with
    )
    unsaid = rig.receipt(**{name: it for name, it in of_run.items() if name != "asked_digest"})
    Ledger(engine).write(
        rig.entries(*(rig.receipt(**{**of_run, **it}) for it in changes), unsaid), []
    )
    with database.reading(engine) as connection:
        found = certificates.answers_of_run(connection, "run-1", "m-1", ("support", "v4"))
    assert found == (2, 2, {Fingerprint("up", "fp_a")})


def test_which_builds_had_answered_lately(engine: Engine) -> None:
    asked = {"prompt": "support", "prompt_version": "v4", "model_wanted": "m-1", "provider": "up"}
    told = (("fp_a", 5), ("fp_a", 0), ("fp_b", 0), ("fp_old", -9000), (None, 0))
    receipts = [
        rig.receipt(**asked, model_fingerprint=it, started_at_s=NOW_S + since_s)
        for it, since_s in told
    ]
    others = rig.receipt(model_wanted="m-9", model_fingerprint="fp_c", started_at_s=NOW_S)
    Ledger(engine).write(rig.entries(*receipts, others), [])
    with database.reading(engine) as connection:
        assert certificates.fingerprints_served(connection, NOW_S - 3600) == {
            ("support", "v4", "m-1"): {
                Fingerprint("up", "fp_a"): NOW_S + 5,
                Fingerprint("up", "fp_b"): NOW_S,
            }
        }


def test_what_providers_said_had_answered_lately(engine: Engine) -> None:
    asked = {"prompt": "support", "prompt_version": "v4", "model_wanted": "m-1"}
    Ledger(engine).write(
        rig.entries(
            rig.receipt(**asked, model_served="m-1-2026", started_at_s=NOW_S),
            rig.receipt(**asked, model_served="m-1-2026", started_at_s=NOW_S + 5),
            rig.receipt(**asked, model_served="m-1-2027", started_at_s=NOW_S),
            rig.receipt(**asked, model_served="m-1-2025", started_at_s=NOW_S - 9000),
            rig.receipt(**asked, started_at_s=NOW_S),
            rig.receipt(**asked, model_served="m-1-kept", attempts=[], started_at_s=NOW_S),
            rig.receipt(model_served="m-9", started_at_s=NOW_S),
        ),
        [],
    )
    with database.reading(engine) as connection:
        assert certificates.snapshots_served(connection, NOW_S - 3600) == {
            ("support", "v4", "m-1"): {"m-1-2026": NOW_S + 5, "m-1-2027": NOW_S}
        }


def test_those_of_several_digests_and_whether_any_came_or_went(engine: Engine) -> None:
    other = replace(PLAIN, id="c2", digest="f" * 64)
    with database.writing(engine) as connection:
        before = certificates.stamp(connection)
        for one in (PLAIN, other, replace(PLAIN, id="c3", model="m-2")):
            certificates.add(connection, one)
        found = certificates.of_each(connection, {PLAIN.digest, "e" * 64})
        assert {digest: [it.id for it in kept] for digest, kept in found.items()} == {
            PLAIN.digest: ["c3", "c1"],
            "e" * 64: [],
        }
        after = certificates.stamp(connection)
        assert before != after
        connection.execute(table.delete().where(table.c.id == "c2"))
        assert certificates.stamp(connection) != after
