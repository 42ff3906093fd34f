import hashlib
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_clock import ClockedCounters

from tidegate.core.limit import Bucket, Calendar, Moment, Rolling, Shape
from tidegate.stores.redis_scripts import Script, Scripts, epoch_key, words

NOON = 1_790_000_000.0 // 3600 * 3600 + 1800


def test_a_call_names_the_script_its_keys_and_its_words() -> None:
    keys, rest = words(["k1", "k2"]), words([7])
    called = Script(b"text", b"digest").by_digest(*keys, *rest)
    assert called.split(b"\r\n")[2::2] == [b"EVALSHA", b"digest", b"2", b"k1", b"k2", b"7"]
    assert called.startswith(b"*6\r\n")
    told = Script(b"text", b"digest").by_text(*keys, *rest)
    assert told.split(b"\r\n")[2::2] == [b"EVAL", b"text", b"2", b"k1", b"k2", b"7"]


def test_a_digest_is_that_of_the_text() -> None:
    scripts = Scripts()
    for script in (scripts.take, scripts.settle, scripts.beat, scripts.publish):
        assert script.digest.decode() == hashlib.sha1(script.text).hexdigest()  # noqa: S324


def test_no_script_goes_by_any_clock_but_the_servers() -> None:
    scripts = Scripts()
    for script in (scripts.take, scripts.settle, scripts.beat):
        assert script.text.count(b"redis.call('TIME')") == 1
        assert b"os." not in script.text


def test_the_epoch_lies_beside_the_counters_of_its_group() -> None:
    assert b"tidegate:{team a}:epoch" in epoch_key("team a")
    assert b"tidegate:{-}:epoch" in epoch_key(None)


@pytest.mark.parametrize(
    "shape", [Bucket(1.0, 10), Rolling(10, 60.0, 6), Calendar(10, "hour"), Calendar(10, "lifetime")]
)
def test_a_clock_of_the_server_that_goes_back_frees_nothing(shape: Shape, tmp_path: Path) -> None:
    with redis_rig.serving("valkey", tmp_path) as server:
        counters = ClockedCounters(server, shape)
        now, earlier = Moment(NOON, NOON), Moment(NOON - 3600, NOON - 3600)
        assert counters.take("s", 10, now) is not None
        assert counters.take("s", 1, earlier) is None
        assert counters.take("s", 1, now) is None
        counters.close()


@pytest.mark.parametrize("bins", [3, 12])
def test_a_window_that_is_cut_anew_keeps_what_it_counted(bins: int, tmp_path: Path) -> None:
    with redis_rig.serving("valkey", tmp_path) as server:
        counters = ClockedCounters(server, Rolling(10, 60.0, 6))
        assert counters.take("s", 7, Moment(0.0, 0.0)) is not None
        counters.reshape(Rolling(20, 60.0, bins))
        assert counters.take("s", 8, Moment(1.0, 1.0)) is not None
        assert counters.read("s", 1, Moment(1.0, 1.0)).used == 15
        assert counters.read("s", 1, Moment(200.0, 200.0)).used == 0
        counters.close()
