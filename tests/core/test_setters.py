"""What is set is there, in memory and on the wire, and the collector knows of who holds it."""

import gc

import msgspec
import pytest

from tidegate.core.ask import Ask
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.resilience import Deadlines
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.progress import Progress


def test_what_is_set_is_there_and_travels() -> None:
    attempt = Attempt("t", "r", 0.0)
    attempt.status = 200
    receipt = Receipt("id", 1.0, "g", "chat")
    receipt.team = "a"
    receipt.attempts.append(attempt)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(receipt), type=Receipt)
    assert (again.team, again.attempts[0].status) == ("a", 200)
    del receipt.team
    assert not hasattr(receipt, "team")


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(AttributeError):
        Receipt("id", 1.0, "g", "chat").teem = "a"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Ask, Attempt, InFlight, Progress, Receipt])
def test_setting_is_as_cheap_as_of_any_object(kind: type[msgspec.Struct]) -> None:
    assert kind.__setattr__ is object.__setattr__
    assert kind.__delattr__ is object.__delattr__


def test_the_collector_knows_of_whatever_can_come_to_hold_a_container() -> None:
    receipt = Receipt("id", 1.0, "g", "chat")
    assert gc.is_tracked(receipt)
    assert gc.is_tracked(Ask("chat", b"{}", {}, "m"))
    assert gc.is_tracked(InFlight(Attempt("t", "r", 0.0), Deadlines(), True, 0.0))
    assert gc.is_tracked(Progress(receipt, object(), 0.0, lambda: None))  # type: ignore[arg-type]
