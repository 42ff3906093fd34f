"""What vLLM generated for answers that were cut, beside what their receipts say.

The model has real weights, because a tiny one on two busy cores generates whole answers before
its own server has sent the first token on; the engine keeps to one core, so that the other is free
for whoever reads.
"""

import random
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.e2e.rig import House
from tests.e2e.test_openai_client import Called
from tests.e2e.test_vllm import OPTIONS, PLAN, ask, counters, engine, grown, sums

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
ENVIRON = {
    "VLLM_WEIGHTS": "smollm2",
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "0",
}
SEED = 20_263
ABORTED = 20
CUT_AFTER = (60, 240)


@pytest.fixture
def called(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Called]:
    engine("start", "--", *OPTIONS, **ENVIRON)
    try:
        with House(tmp_path_factory.mktemp("vllm"), PLAN) as house:
            it = Called(house)
            yield it
            it.close()
    finally:
        engine("stop")


def test_aborted_streams_agree_within_two_percent(called: Called, capsys: Any) -> None:
    before = counters()
    chance = random.Random(SEED)
    with openai.OpenAI(**called.options) as client:
        for number in range(ABORTED):
            cut_after = chance.randint(*CUT_AFTER)
            more: dict[str, Any] = {"max_tokens": 2000, "extra_body": {"ignore_eos": True}}
            stream = client.chat.completions.create(**{**ask(100 + number), **more}, stream=True)
            for count, _ in enumerate(stream):
                if count == cut_after:
                    break
            stream.close()
    receipts = called.receipts(ABORTED)
    ours, told = sums(receipts), grown(before)
    with capsys.disabled():
        print(f"\n{ABORTED} aborted: engine {told}, receipts {ours}")
    assert {r.cancelled_by for r in receipts} == {"client"}
    assert ours[0] == told[0]
    assert ours[1] == pytest.approx(told[1], rel=0.02)
