from typing import Any

from msgspec import Raw, Struct

from tidegate.control.decide import SNAPSHOT_EVERY, Deciding, with_base
from tidegate.control.observe import Seen
from tidegate.core.controller import Decision, Proposal, Revise, Set

HELD = Set("release_weight", "chat", 0.1, "step 1")


class _Counts:
    """A controller that remembers how often it was asked for something new."""

    name = "counts"
    view_type = Struct

    def decide(self, view: Any, memory: Raw) -> Decision:
        number = int(bytes(memory) or b"0") + view
        return Decision((HELD,), Raw(str(number).encode()))


class _Watcher:
    controller = _Counts()


def seen(news: int) -> Seen:
    return Seen("one", news)


def test_what_nothing_new_led_to_is_no_news() -> None:
    deciding = Deciding()
    first = deciding.decide(_Watcher(), seen(0), {"one": Raw(b"0")})  # type: ignore[arg-type]
    assert first.is_news  # nobody has held it yet
    deciding.kept(first)
    assert not deciding.decide(_Watcher(), seen(0), {"one": Raw(b"0")}).is_news  # type: ignore[arg-type]
    assert deciding.decide(_Watcher(), seen(1), {"one": Raw(b"0")}).is_news  # type: ignore[arg-type]


def test_a_memory_is_kept_with_the_first_and_every_few_decisions() -> None:
    deciding, memory, snapshots = Deciding(), Raw(b"0"), []
    for number in range(2 * SNAPSHOT_EVERY + 1):
        decided = deciding.decide(_Watcher(), seen(1), {"one": memory})  # type: ignore[arg-type]
        deciding.kept(decided)
        memory = decided.decision.memory
        if decided.snapshot:
            snapshots.append(number)
    assert snapshots == [0, SNAPSHOT_EVERY, 2 * SNAPSHOT_EVERY]


def test_a_promotion_gets_what_the_file_said() -> None:
    proposals: tuple[Proposal, ...] = (
        Revise("promote", "chat", "chat/new", "", {"target": Raw(b'"new"')}),
        Revise("withdraw", "chat", "chat/new", ""),
    )
    promoted, withdrawn = with_base(Decision(proposals, Raw()), {"target": Raw(b'"old"')}).proposals
    assert isinstance(promoted, Revise) and promoted.base == {"target": Raw(b'"old"')}
    assert isinstance(withdrawn, Revise) and withdrawn.base == {}
