"""Keys over the API: what is made, what is shown, what ends."""

from sqlalchemy import Engine
from tests.control.conftest import Room, error_code

from tidegate.core.key import digest_of, id_of
from tidegate.stores import audit, database, keys


def test_a_key_takes_the_plan_s_defaults_and_is_stored_as_a_digest(
    room: Room, engine: Engine
) -> None:
    made = room.make_key(attributes={"app": "search"}, routes=["chat", "chat"])
    record = made["record"]
    assert record["team"] == "house"
    assert record["routes"] == ["chat"]
    assert record["attributes"] == {"tier": "free", "app": "search"}
    assert round(record["expires_at_s"] - record["created_at_s"]) == 90 * 86400
    assert id_of(made["key"].encode()) == record["id"]
    stored = keys.get(engine, record["id"])
    assert stored is not None
    assert stored.digest == digest_of(made["key"].encode(), room.desk.peppers[1])
    assert made["key"].encode() not in room.layout.ledger_db.read_bytes()


def test_null_says_that_a_key_never_expires(room: Room) -> None:
    assert room.make_key(expires_at_s=None)["record"]["expires_at_s"] is None


def test_no_answer_shows_a_digest_or_the_key_again(room: Room) -> None:
    made = room.make_key()
    for path in ("/api/keys", f"/api/keys/{made['record']['id']}"):
        text = room.ask("GET", path).text
        assert "digest" not in text
        assert made["key"] not in text


def test_listing_pages_through_all_and_filters(room: Room) -> None:
    made = sorted(room.make_key(name=f"app {n}")["record"]["id"] for n in range(5))
    other = room.make_key(name="other", team="search")["record"]["id"]
    seen: list[str] = []
    after = ""
    while True:
        page = room.ask("GET", f"/api/keys?limit=2&name_prefix=app{after}").json()
        seen += [key["id"] for key in page["keys"]]
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert seen == made
    found = room.ask("GET", "/api/keys?team=search").json()["keys"]
    assert [key["id"] for key in found] == [other]


def test_a_revoked_key_says_so_and_is_in_the_feed_and_the_audit(room: Room, engine: Engine) -> None:
    key_id = room.make_key()["record"]["id"]
    before = room.log.newest_seq()
    answer = room.ask("POST", f"/api/keys/{key_id}/revoke").json()
    assert answer["record"]["state"] == "revoked"
    assert answer["waiting_for"] == []
    entries = room.log.entries_after(before)
    assert entries is not None
    assert [getattr(entry.body, "key_id", None) for entry in entries] == [key_id]
    with database.reading(engine) as connection:
        newest = audit.recent(connection, limit=1)[0]
    assert (newest.actor, newest.what, newest.subject) == ("operator", "key.revoke", key_id)
    live = room.ask("GET", "/api/keys?revoked=false").json()["keys"]
    assert live == []


def test_rotation_gives_a_new_key_with_the_same_grants(room: Room) -> None:
    old = room.make_key(name="app", team="search", routes=["chat"], priority="batch")["record"]
    assert old["priority"] == "batch"
    answer = room.ask("POST", f"/api/keys/{old['id']}/rotate", {"overlap_s": 60})
    fresh = answer.json()
    assert answer.status_code == 201
    assert fresh["replaces"] == old["id"]
    same = ("name", "team", "routes", "attributes", "expires_at_s", "purpose", "priority")
    assert {n: fresh["record"][n] for n in same} == {n: old[n] for n in same}
    left = room.ask("GET", f"/api/keys/{old['id']}").json()
    assert left["state"] == "live"
    assert left["expires_at_s"] < old["expires_at_s"]
    ended = room.ask("POST", f"/api/keys/{fresh['record']['id']}/rotate", {}).json()["replaces"]
    assert room.ask("GET", f"/api/keys/{ended}").json()["state"] == "revoked"


def test_a_key_that_is_not_there_or_ended_is_not_found(room: Room) -> None:
    for method, path in (("GET", ""), ("POST", "/revoke"), ("POST", "/rotate")):
        body = {} if path == "/rotate" else None
        answer = room.ask(method, f"/api/keys/nothere1{path}", body)
        assert (answer.status_code, error_code(answer)) == (404, "not_found")
    key_id = room.make_key()["record"]["id"]
    room.ask("POST", f"/api/keys/{key_id}/revoke")
    assert room.ask("POST", f"/api/keys/{key_id}/rotate", {}).status_code == 404


def test_a_store_that_fails_is_said_to_have_failed(room: Room, engine: Engine) -> None:
    with database.writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE keys")
    for method, path, body in (
        ("GET", "/api/keys", None),
        ("POST", "/api/keys", {"name": "a"}),
        ("POST", "/api/keys/nothere1/revoke", None),
    ):
        answer = room.ask(method, path, body)
        assert (answer.status_code, error_code(answer)) == (503, "store_unavailable")


def test_keys_made_after_a_new_pepper_are_under_it_and_older_ones_are_not(
    room: Room, engine: Engine
) -> None:
    old = room.make_key()["record"]
    answer = room.ask("POST", "/api/peppers")
    assert answer.status_code == 201
    assert answer.json() == {"version": 2, "file": str(room.layout.state / "pepper.2")}
    fresh = room.make_key()
    rotated = room.ask("POST", f"/api/keys/{old['id']}/rotate", {"overlap_s": 60}).json()
    for made in (fresh, rotated):
        assert made["record"]["pepper_version"] == 2
        stored = keys.get(engine, made["record"]["id"])
        assert stored is not None
        pepper = (room.layout.state / "pepper.2").read_bytes()
        assert stored.digest == digest_of(made["key"].encode(), pepper)
    assert room.ask("GET", f"/api/keys/{old['id']}").json()["pepper_version"] == 1
    with database.reading(engine) as connection:
        told = [row for row in audit.recent(connection) if row.what == "pepper.create"]
    assert [row.subject for row in told] == ["2"]
