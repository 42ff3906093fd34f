import msgspec

from tidegate.controllers._release_words import Bounds, Standing


def test_a_standing_comes_back_from_what_is_kept_of_it() -> None:
    standing = Standing("paused", 2, 10.0, 5.0, "few", ("a person",), 7, "shadow", True, True)
    kept = msgspec.msgpack.encode(standing)
    assert msgspec.msgpack.decode(kept, type=Standing) == standing


def test_nothing_binds_unless_it_is_said() -> None:
    assert msgspec.msgpack.encode(Bounds()) == b"\x80"
