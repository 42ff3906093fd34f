"""Ids that sort by time and random text that leans to no letter."""

import string
import uuid
from collections import Counter

from tidegate.core import clock


def test_ids_are_uuids_of_version_7_and_unique_over_many_pages() -> None:
    source = clock.IdSource()
    made = [source.new() for _ in range(2_000)]
    assert len(set(made)) == 2_000
    for text in made:
        read = uuid.UUID(text)
        assert str(read) == text
        assert read.version == 7
        assert read.variant == uuid.RFC_4122


def test_an_id_tells_when_it_was_made_and_sorts_so() -> None:
    source = clock.IdSource()
    before_ms = int(clock.wall_s() * 1000)
    first = source.new()
    while int(clock.wall_s() * 1000) == int(first.replace("-", "")[:12], 16):
        pass
    second = source.new()
    assert first < second
    assert before_ms <= int(first.replace("-", "")[:12], 16) <= int(clock.wall_s() * 1000)


def test_two_sources_never_share_an_id() -> None:
    one, other = clock.IdSource(), clock.IdSource()
    assert not {one.new() for _ in range(500)} & {other.new() for _ in range(500)}


def test_random_text_uses_every_letter_alike() -> None:
    """62 letters do not divide 256: without rejection the first 8 would come a quarter more."""
    alphabet = string.ascii_letters + string.digits
    counts = Counter(clock.random_text(alphabet, 62 * 2_000))
    assert set(counts) == set(alphabet)
    first, rest = alphabet[:8], alphabet[8:]
    mean_first = sum(counts[letter] for letter in first) / len(first)
    mean_rest = sum(counts[letter] for letter in rest) / len(rest)
    assert 0.9 < mean_first / mean_rest < 1.1


def test_random_text_and_bytes_have_the_length_asked_for() -> None:
    assert [len(clock.random_text("ab", n)) for n in (0, 1, 33)] == [0, 1, 33]
    assert len(clock.random_bytes(32)) == 32


def test_the_time_since_the_boot_runs_as_the_monotonic_clock_does() -> None:
    first, also = clock.since_boot_s(), clock.monotonic_s()
    while clock.monotonic_s() - also < 0.002:
        pass
    assert clock.since_boot_s() - first >= 0.002
