"""Proposals are told apart when they are read back, as replaying a decision needs."""

import msgspec
from msgspec import Raw

from tidegate.core.controller import Decision, Proposal, Revise, Set, Tell
from tidegate.core.signal import NoData, Signal


def test_a_decision_is_read_back_as_it_was() -> None:
    seen = (Signal("ttft", "s", "chat/canary", 60.0, NoData("no_traffic")),)
    proposals: tuple[Proposal, ...] = (
        Set("release_weight", "chat", 0.05, "step", seen),
        Revise("promote", "chat", "chat/v2", "safe", {"target": Raw(b'"large"')}),
        Tell("release", "chat/v2", "info", "promoted", "it is safe"),
    )
    packed = msgspec.json.encode(Decision(proposals, Raw(b"{}")))
    read = msgspec.json.decode(packed, type=Decision)
    assert msgspec.json.encode(read) == packed
    assert [type(one) for one in read.proposals] == [Set, Revise, Tell]
