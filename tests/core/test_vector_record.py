"""Anything that is changed in a record changes its checksum."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.vector_record import checksum

_part = st.binary(max_size=6)
_record = st.tuples(_part, _part, _part, st.text(max_size=6))


@given(_record, st.integers(0, 2), st.binary(min_size=1, max_size=3))
def test_what_was_put_elsewhere_or_is_changed_has_another(
    record: tuple[bytes, bytes, bytes, str], which: int, more: bytes
) -> None:
    partition, key, vector, question = record
    parts = [partition, key, vector]
    parts[which] += more
    first = checksum(partition, key, vector, question)
    assert first == checksum(partition, key, vector, question)
    assert first != checksum(*parts, question)
    assert first != checksum(partition, key, vector, question + "?")


def test_where_one_part_ends_counts() -> None:
    assert checksum(b"ab", b"c", b"", "") != checksum(b"a", b"bc", b"", "")
    assert len(checksum(b"", b"", b"", "\ud800")) == 4
