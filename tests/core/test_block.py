import msgspec

from tidegate.core.block import ArmBlock, Block, Moments, Tally


def test_a_stored_block_is_the_same_block():
    arm = ArmBlock(assigned=2, tallies={"error": Tally(2, 1)}, by_unit={"cost": Moments(1, 2, 4)})
    block = Block("chat/next", 3, 1.0, 11.0, 0.05, arm, ArmBlock())
    stored = msgspec.msgpack.encode(block)
    assert msgspec.msgpack.decode(stored, type=Block) == block
    assert len(stored) < 250


def test_moments():
    moments = Moments()
    moments.add(3.0)
    moments.add(-1.0)
    assert moments == Moments(2, 2.0, 10.0)
