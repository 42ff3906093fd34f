"""What is done about a type is the type's own, else the guardrail's."""

import msgspec

from tidegate.core.guardrail import Guardrail


def test_a_type_may_have_an_action_of_its_own() -> None:
    one = Guardrail("pii", "pii", "redact", (("card", "block"),))
    assert (one.action_of("card"), one.action_of("email")) == ("block", "redact")


def test_it_comes_through_the_feed_as_it_was() -> None:
    one = Guardrail("own", "patterns", "block", patterns=(("a", "b+"),), deadline_s=0.5)
    packed = msgspec.msgpack.encode(one)
    assert msgspec.msgpack.decode(packed, type=Guardrail) == one
