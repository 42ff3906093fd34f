"""SGLang: ranks that share a model say the same, ranks side by side add up."""

from tests.engines.saved import page, reader, told

from tidegate.core.engine_signals import Found
from tidegate.core.signal import NoData


def test_tensor_ranks_are_counted_once_and_data_ranks_each() -> None:
    found = told("sglang", "sglang")
    assert found["engine_running"] == ("sglang:num_running_reqs", 11.0, None)
    assert found["engine_waiting"] == ("sglang:num_queue_reqs", 2.0, None)
    assert found["engine_preemptions"] == ("sglang:num_retracted_requests_total", 4.0, None)


def test_hits_are_those_of_every_cache() -> None:
    found = told("sglang", "sglang")
    assert found["engine_prefix_hits"] == ("sglang:cached_tokens_total", 2_000_100.0, 8_128_902.0)
    assert found["engine_queue_s"] == ("sglang:queue_time_seconds", 6.0, 24.0)


def test_a_twin_that_is_no_number_is_not_hidden_by_the_other() -> None:
    line = b'pp_rank="0",tp_rank="1"} 8.0'
    spoilt = page("sglang").replace(line, line.replace(b"8.0", b"NaN"))
    assert reader("sglang").read(spoilt).signals["engine_running"] == NoData("not_finite")
    assert isinstance(reader("sglang").read(spoilt).signals["engine_waiting"], Found)
