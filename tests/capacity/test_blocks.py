import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.capacity.blocks import BlockPool, chain_keys

IDS = st.lists(st.integers(0, 3), max_size=40)


@given(IDS, IDS, st.integers(1, 5))
def test_keys_are_equal_exactly_where_all_tokens_so_far_are(one, other, size):
    keys, others = chain_keys(one, size), chain_keys(other, size)
    assert len(keys) == len(one) // size
    for at, (key, its) in enumerate(zip(keys, others, strict=False), 1):
        assert (key == its) == (one[: at * size] == other[: at * size])


def test_a_salt_keeps_equal_prompts_apart():
    assert chain_keys([1, 2], 2, b"a") != chain_keys([1, 2], 2, b"b")


def test_allocation_is_all_or_nothing():
    pool = BlockPool(3)
    held = pool.allocate(2)
    assert held is not None
    assert pool.allocate(2) is None
    assert (pool.available, pool.referenced) == (1, 2)
    pool.release(held)
    assert pool.available == 3


def test_a_released_block_is_cached_until_its_memory_is_wanted():
    pool = BlockPool(2)
    (block,) = pool.allocate(1)
    pool.keep(block, b"k")
    pool.release([block])
    assert pool.longest_prefix([b"k", b"other"]) == [block]
    pool.allocate(2)
    assert pool.longest_prefix([b"k"]) == []


def test_the_longest_unused_goes_first_and_a_tail_before_its_head():
    pool = BlockPool(4)
    old, new = pool.allocate(2), pool.allocate(2)
    for block, key in zip(old + new, (b"a0", b"a1", b"b0", b"b1"), strict=True):
        pool.keep(block, key)
    pool.release(old)
    pool.release(new)
    pool.allocate(1)
    assert pool.longest_prefix([b"a0", b"a1"]) == old[:1]
    pool.allocate(1)
    assert pool.longest_prefix([b"a0"]) == []
    assert pool.longest_prefix([b"b0", b"b1"]) == new


def test_a_shared_block_is_freed_with_its_last_reference():
    pool = BlockPool(1)
    held = pool.allocate(1)
    pool.keep(held[0], b"k")
    assert pool.idle_among(held) == 0
    pool.reference(held)
    pool.release(held)
    assert pool.available == 0
    pool.release(held)
    assert pool.idle_among(held) == 1
    with pytest.raises(AssertionError, match="released more often"):
        pool.release(held)


@given(st.data())
def test_every_block_is_free_idle_or_referenced(data):
    pool = BlockPool(6)
    held: list[list[int]] = []
    for _ in range(data.draw(st.integers(0, 30))):
        key = data.draw(st.sampled_from([b"x", b"y", b"z"]))
        if held and data.draw(st.booleans()):
            pool.release(held.pop(data.draw(st.integers(0, len(held) - 1))))
        elif found := pool.longest_prefix([key]):
            pool.reference(found)
            held.append(found)
        elif (fresh := pool.allocate(data.draw(st.integers(1, 3)))) is not None:
            pool.keep(fresh[0], key)
            held.append(fresh)
        assert pool.referenced == len({block for blocks in held for block in blocks})
        assert pool.available + pool.referenced == pool.capacity
