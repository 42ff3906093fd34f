"""What is summed up of a tier has one name and one place each."""

from tidegate.core.cache_worth import SUMS, CacheBin, CacheSums, added


def test_the_names_are_those_of_the_sums_in_their_order() -> None:
    assert CacheSums.__struct_fields__ == SUMS
    assert len(CacheBin().sums) == len(SUMS)


def test_blocks_add_up() -> None:
    whole = added([CacheSums(lookups=3, hits=1), CacheSums(lookups=2, saved_nanousd=7)])
    assert whole == CacheSums(lookups=5, hits=1, saved_nanousd=7)
    assert added([]) == CacheSums()
