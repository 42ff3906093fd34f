"""What holds for every way to tell people: once, or not at all and said so; nowhere else."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select
from tests.actuators.messages import NOON_S, ending, many, message, notice
from tests.actuators.receivers import HANG_UP, LOSE_ANSWER, Fault, Http, MailServer, running
from tests.actuators.slack_api import CHANNEL, TOKEN, SlackApi
from tests.stores import rig

from tidegate.control.notifying import Notifying
from tidegate.core import plugs
from tidegate.core.address import Listen
from tidegate.core.controller import Tell
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.secret import Secret, SecretRef
from tidegate.core.ways import Place, Way
from tidegate.stores import database, notices
from tidegate.stores.schema_notices import deliveries

BOT = "slack's bot"
KINDS = [*plugs.names("actuators"), BOT]


class Receiver:
    """What a kind of way leads to, whatever it speaks, and how a plan declares it."""

    def __init__(self, kind: str) -> None:
        bot = kind == BOT
        self.kind = "slack" if bot else kind
        self.mail = kind == "email"
        self.server: Any = MailServer() if self.mail else SlackApi() if bot else Http()
        http = f"http://127.0.0.1:{self.server.port}"
        self.secret = f"{http}/services/T0/B0/hush" if kind == "slack" else TOKEN if bot else "hush"
        address = {} if self.mail or kind == "slack" else {"url": f"{http}/{'api' if bot else 'x'}"}
        fields: dict[str, Any] = {"kind": self.kind, "private": True, **address}
        fields |= {"channel": CHANNEL} if bot else {}
        if self.mail:
            fields |= {"server": Listen("127.0.0.1", self.server.port), "tls": "none"}
            fields |= {"sender": "tidegate@example.com", "to": ("a@example.com",)}
        else:
            fields |= {"secret": SecretRef(env="SECRET")}
        self.declared = DeclaredWay(**fields)
        self.place = Place(self.declared, None if self.mail else Secret(self.secret))

    @property
    def taken(self) -> list[bytes]:
        """The bodies that it accounts for as told."""
        return [one.data.encode() if self.mail else one.body for one in self.server.taken]

    def known_again(self) -> int:
        """How many different messages it has been told."""
        if self.mail:
            ids = {line for one in self.server.taken for line in one.data.splitlines()}
            return len({line for line in ids if line.lower().startswith("message-id:")})
        if self.kind == "webhook":
            return len({one.headers["idempotency-key"] for one in self.server.taken})
        if self.kind == "alertmanager":
            told = [msgspec.json.decode(one.body) for one in self.server.taken]
            return len({msgspec.json.encode([one["labels"] for one in body]) for body in told})
        return len({one.body for one in self.server.taken})

    def fail(self, *faults: Fault) -> None:
        if not self.mail:
            self.server.faults = list(faults)
            return
        said: dict[Fault, str | None] = {LOSE_ANSWER: None, HANG_UP: None}
        at = "." if faults[0] == LOSE_ANSWER else "MAIL"
        self.server.says = {at: said.get(faults[0], "451 later")}


@pytest.fixture(params=KINDS)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    receiver = Receiver(request.param)
    with running(receiver.server):
        yield receiver


@pytest.fixture
def way(receiver: Receiver) -> Way:
    plug: Way = plugs.load("actuators", receiver.kind)
    return plug


def test_it_takes_one_its_end_and_a_storm(receiver: Receiver, way: Way) -> None:
    for one in (message(), ending(message()), many(200), ending(many(200))):
        told = way.send(one, receiver.place, NOON_S)
        assert told is None or told.remark is None
    assert len(receiver.taken) == 4


def test_what_it_needs_it_reads_and_the_plan_may_say_so(receiver: Receiver, way: Way) -> None:
    assert way.needs <= way.reads <= set(DeclaredWay.__struct_fields__)
    assert way.complaint(receiver.declared) is None


@pytest.mark.parametrize("fault", [500, HANG_UP, LOSE_ANSWER])
def test_why_it_did_not_arrive_holds_neither_text_nor_secret(
    receiver: Receiver, way: Way, fault: Fault
) -> None:
    receiver.fail(fault)
    with pytest.raises(NotDelivered) as failed:
        way.send(message(notice(title="classified", text="classified")), receiver.place, NOON_S)
    assert "hush" not in str(failed.value) and "classified" not in str(failed.value)


def test_a_private_address_only_where_it_is_declared(receiver: Receiver, way: Way) -> None:
    fields = {name: getattr(receiver.declared, name) for name in DeclaredWay.__struct_fields__}
    declared = DeclaredWay(**{**fields, "private": None})
    with pytest.raises(NotDelivered, match="private"):
        way.send(message(), Place(declared, receiver.place.secret), NOON_S)
    assert receiver.taken == []


def hostile(random_: random.Random) -> Message:
    letters = "a<>&\"'\\\n\r\t\0\x1b{}`*_|@#é漢🙂\u202e.\ud800"
    said = ["".join(random_.choices(letters, k=random_.randrange(1, 60))) for _ in range(4)]
    clean = [one.encode("utf-8", "replace").decode() for one in said]
    return message(notice(key=clean[0], title=clean[1], text=clean[2], route=clean[3]))


def test_whatever_a_text_holds_it_arrives(receiver: Receiver, way: Way) -> None:
    random_ = random.Random(7)
    for _ in range(60):
        one = hostile(random_)
        way.send(one, receiver.place, NOON_S)
        way.send(ending(one), receiver.place, NOON_S)
    assert len(receiver.taken) == 120


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = rig.migrated(tmp_path / "ledger.db")
    yield engine
    engine.dispose()


def notifying(engine: Engine, receiver: Receiver) -> Notifying:
    declared = DeclaredNotifications(ways={"it": receiver.declared})
    return Notifying(engine, lambda: declared, {"SECRET": receiver.secret}, lambda: True)


def note(engine: Engine, key: str, resolved: bool = False) -> None:
    told = Tell("burn", key, "page", f"It burns: {key}", "", resolved)
    with database.writing(engine) as connection:
        notices.note(connection, told, NOON_S)


def states(engine: Engine) -> list[str]:
    with database.reading(engine) as connection:
        query = select(deliveries.c.state).order_by(deliveries.c.id)
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize("fault", [503, HANG_UP, LOSE_ANSWER])
def test_it_is_told_once_whatever_happens_to_the_first_try(
    receiver: Receiver, way: Way, engine: Engine, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.stores.deliveries._pause_s", lambda *_: 0.0)
    receiver.fail(fault)
    it = notifying(engine, receiver)
    note(engine, "a")
    for _ in range(2):
        it.look(NOON_S)
        it.serve("it")
        if receiver.mail:
            receiver.server.says = {}
    if way.repeatable or fault == 503:
        assert states(engine) == ["delivered"]
        assert receiver.known_again() == 1
    else:  # nobody knows, and it would be told twice
        assert states(engine) == ["unknown"]
        assert len(receiver.taken) == (fault == LOSE_ANSWER)


def test_the_end_comes_once_too(receiver: Receiver, engine: Engine) -> None:
    it = notifying(engine, receiver)
    note(engine, "a")
    it.look(NOON_S)
    it.serve("it")
    note(engine, "a", resolved=True)
    for _ in range(3):
        it.look(NOON_S)
        it.serve("it")
    assert states(engine) == ["delivered", "delivered"]
    assert len(receiver.taken) == 2
