import pytest

from tidegate.capacity.profiles import H100, LLAMA_8B, LLAMA_70B_FP8, RTX4090
from tidegate.capacity.roofline import StepCost, StepShape, kv_bytes_per_token, kv_tokens, step_cost


def test_the_slower_of_memory_and_arithmetic_decides():
    cost = StepCost(overhead_s=1, weights_s=2, kv_s_per_token=0.1, compute_s_per_token=0.5)
    assert cost.step_s(StepShape(tokens=1, resident_tokens=10)) == 1 + 3
    assert cost.step_s(StepShape(tokens=100, resident_tokens=10)) == 1 + 50


def test_links_and_attention_cost_by_token_and_pair():
    cost = StepCost(attention_s_per_pair=0.25, link_s_per_token=2.0)
    assert cost.step_s(StepShape(tokens=3, attended=8)) == 2 + 6


def test_kv_of_llama_8b_is_128_kib_a_token():
    assert kv_bytes_per_token(LLAMA_8B, 1) == 131_072


def test_kv_heads_are_copied_once_there_are_more_gpus_than_heads():
    assert kv_bytes_per_token(LLAMA_8B, 16) == kv_bytes_per_token(LLAMA_8B, 8)


def test_the_memory_formula_meets_what_vllm_logged():
    """MS06: 41,408 tokens on an RTX 4090; MS01: 51.38 GiB on an H100, for Llama-3.1-8B."""
    assert kv_tokens(RTX4090, 1, LLAMA_8B, 256, 0.9) == pytest.approx(41_408, rel=0.05)
    tokens = kv_tokens(H100, 1, LLAMA_8B, 1024, 0.9)
    assert tokens * 131_072 / 2**30 == pytest.approx(51.38, rel=0.03)


def test_decode_is_bound_by_bandwidth_and_prefill_by_arithmetic():
    cost = step_cost(H100, 1, LLAMA_8B)
    decode = cost.step_s(StepShape(tokens=8, resident_tokens=8 * 1000))
    assert decode - cost.overhead_s == pytest.approx(cost.weights_s + cost.kv_s_per_token * 8000)
    prefill = cost.step_s(StepShape(tokens=8192, resident_tokens=8192))
    assert prefill - cost.overhead_s == pytest.approx(cost.compute_s_per_token * 8192)


def test_more_gpus_read_faster_and_talk_more():
    two, four = (step_cost(H100, gpus, LLAMA_70B_FP8) for gpus in (2, 4))
    assert four.weights_s == two.weights_s / 2
    assert step_cost(H100, 1, LLAMA_8B).link_s_per_token == 0
    assert four.link_s_per_token > two.link_s_per_token
