import msgspec

from tidegate.core.plan import Plan
from tidegate.core.probe import PROBE, Expect, Probe
from tidegate.core.receipt import Receipt


def test_a_plan_keeps_its_probes_and_an_older_one_has_none():
    plan = Plan(1, "d", 0.0, {}, probes={"small": Probe(expect=Expect(contains="x"))})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=Plan) == plan
    assert b"probes" not in msgspec.msgpack.encode(Plan(1, "d", 0.0, {}))


def test_a_probe_is_the_gateway_s_own_and_a_key_s_purpose_does_not_make_one():
    receipt = Receipt("id", 0.0, "g", "chat", purpose=PROBE)
    assert receipt.is_probe
    receipt.key_id = "aaaa0000"
    assert not receipt.is_probe
    assert not Receipt("id", 0.0, "g", "chat").is_probe
