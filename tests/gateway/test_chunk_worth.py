"""What is told of chunks is added up, and what is not told is no saving."""

from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.chunk_worth import ChunkWorth


def chunk(took_s: float, cost_nanousd: int | None) -> KeptAnswer:
    return KeptAnswer("", 0.0, 60.0, "", False, b"[]", took_s=took_s, cost_nanousd=cost_nanousd)


def test_what_nobody_has_told_is_counted_apart() -> None:
    worth = ChunkWorth()
    for kept in (chunk(0.5, 7), chunk(0.25, 0), chunk(0.0, None), chunk(1.0, None)):
        worth.hit(kept)
    assert (worth.saved_s, worth.saved_nanousd) == (1.75, 7)
    assert (worth.untold_time, worth.untold_money) == (1, 2)
