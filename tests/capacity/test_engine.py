"""Laws of the batching model, whatever is submitted."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.capacity.blocks import chain_keys
from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import Profile, profile
from tidegate.capacity.request import Emitted, NeverFits, Request
from tidegate.capacity.roofline import StepCost

SMALL = Profile(
    name="small",
    cost=StepCost(overhead_s=1.0),
    max_num_seqs=3,
    max_num_batched_tokens=8,
    kv_blocks=8,
    block_tokens=4,
    max_model_len=24,
)


def drain(engine: Engine) -> list[Emitted]:
    out = []
    while (at_s := engine.next_event_at()) is not None:
        out += engine.advance(at_s)
    return out


def run(engine: Engine, *requests: Request) -> list[Emitted]:
    for request in requests:
        engine.submit(request, 0.0)
    return drain(engine)


def ends(emitted: list[Emitted]) -> list[str]:
    return [one.request_id for one in emitted if one.finished]


# single steps


def test_a_prompt_is_prefilled_in_chunks_and_each_step_then_gives_one_token():
    emitted = run(Engine(SMALL), Request("a", prompt_tokens=10, output_tokens=3))
    assert [(one.at_s, one.tokens, one.finished) for one in emitted] == [
        (2.0, 1, False),
        (3.0, 1, False),
        (4.0, 1, True),
    ]


def test_decodes_go_before_the_chunks_of_a_new_prompt():
    engine = Engine(SMALL)
    engine.submit(Request("old", 1, 5), 0.0)
    engine.advance(1.0)
    engine.submit(Request("new", 14, 1), 1.0)
    emitted = drain(engine)
    assert [one.at_s for one in emitted if one.request_id == "old"] == [2.0, 3.0, 4.0, 5.0]
    # beside one decode a step has 7 tokens left; the step under way at 1.0 was begun without it
    assert [one.at_s for one in emitted if one.request_id == "new"] == [4.0]


def test_what_arrives_in_one_moment_shares_the_first_step():
    emitted = run(Engine(SMALL), Request("a", 2, 1), Request("b", 2, 1))
    assert [one.at_s for one in emitted] == [1.0, 1.0]


def test_no_more_run_than_the_batch_holds():
    engine = Engine(SMALL)
    for at in range(5):
        engine.submit(Request(str(at), 1, 2), 0.0)
    engine.advance(0.0)
    now = engine.readings()
    assert (now.running, now.waiting) == (3, 2)
    assert ends(drain(engine)) == ["0", "1", "2", "3", "4"]


def test_a_lower_priority_number_is_served_first():
    one_at_a_time = msgspec.structs.replace(SMALL, max_num_seqs=1)
    requests = [Request("late", 1, 1, priority=5), Request("soon", 1, 1, priority=-1)]
    assert ends(run(Engine(one_at_a_time), *requests)) == ["soon", "late"]


def test_when_blocks_run_out_the_newest_gives_way_and_is_recomputed():
    engine = Engine(SMALL)  # 32 tokens of KV; both want 24
    emitted = run(engine, Request("first", 4, 20), Request("second", 4, 20))
    assert ends(emitted) == ["first", "second"]
    assert engine.readings().preemptions >= 1
    by_id = {one.request_id: one.timing for one in emitted if one.timing}
    assert by_id["first"].preemptions == 0
    assert by_id["second"].preemptions >= 1


def test_a_repeated_prefix_costs_nothing_but_its_last_token():
    engine = Engine(SMALL)
    keys = chain_keys(list(range(8)), 4)
    run(engine, Request("a", 8, 1, keys))
    engine.submit(Request("b", 8, 1, keys), 10.0)
    (emitted,) = drain(engine)
    assert emitted.timing is not None
    assert emitted.timing.cached_tokens == 4  # the block with the last token is computed
    now = engine.readings()
    assert (now.prefix_query_tokens, now.prefix_hit_tokens) == (16, 4)


def test_output_is_cached_for_the_next_turn():
    engine = Engine(SMALL)
    turn = chain_keys(list(range(12)), 4)
    run(engine, Request("a", 4, 8, turn[:3]))
    engine.submit(Request("b", 12, 1, turn), 100.0)
    (emitted,) = drain(engine)
    assert emitted.timing is not None
    assert emitted.timing.cached_tokens == 8


def test_a_request_without_output_ends_with_its_prompt():
    (emitted,) = run(Engine(SMALL), Request("a", 9, 0))
    assert (emitted.at_s, emitted.tokens, emitted.finished) == (2.0, 0, True)


def test_several_tokens_a_step_when_the_profile_says_so():
    instant = msgspec.structs.replace(profile("instant"), kv_blocks=100)
    emitted = run(Engine(instant), Request("a", 100, 500))
    assert [one.tokens for one in emitted] == [1, 499]
    assert {one.at_s for one in emitted} == {0.0}


def test_an_aborted_request_frees_everything_and_says_no_more():
    engine = Engine(SMALL)
    engine.submit(Request("runs", 4, 8), 0.0)
    engine.submit(Request("waits", 24, 0), 0.0)
    engine.submit(Request("waits too", 24, 0), 0.0)
    engine.advance(3.0)
    for name in ("runs", "waits", "waits too"):
        assert engine.abort(name, 3.0) is not None
    assert engine.abort("runs", 3.0) is None
    assert drain(engine) == []
    now = engine.readings()
    assert (now.running, now.waiting, now.kv_usage) == (0, 0, 0.0)
    assert now.finished == {"abort": 3}


def test_a_queue_of_aborted_requests_takes_no_memory():
    engine = Engine(SMALL)
    engine.submit(Request("runs", 4, 20), 0.0)
    engine.submit(Request("head", 20, 4), 0.0)
    engine.submit(Request("second", 20, 4), 0.0)
    for at in range(1000):
        engine.submit(Request(str(at), 20, 4), 0.0)
        engine.abort(str(at), 0.0)
    assert len(engine._waiting) < 200
    assert ends(drain(engine)) == ["runs", "head", "second"]


@pytest.mark.parametrize(
    "request_",
    [Request("x", 0, 1), Request("x", 1, -1), Request("x", 20, 5)],
)
def test_what_can_never_finish_is_refused(request_):
    with pytest.raises(NeverFits):
        Engine(SMALL).submit(request_, 0.0)
    little = msgspec.structs.replace(SMALL, kv_blocks=2)
    with pytest.raises(NeverFits, match="KV memory of 2 blocks"):
        Engine(little).submit(Request("x", 9, 0), 0.0)


def test_time_does_not_fall_and_ids_do_not_repeat():
    engine = Engine(SMALL)
    engine.submit(Request("a", 1, 1), 5.0)
    with pytest.raises(ValueError, match="in the engine already"):
        engine.submit(Request("a", 1, 1), 5.0)
    with pytest.raises(ValueError, match="time fell"):
        engine.submit(Request("b", 1, 1), 4.0)


# laws

REQUESTS = st.lists(
    st.tuples(
        st.integers(1, 14),  # prompt
        st.integers(0, 10),  # output
        st.integers(0, 2),  # which prompt text
        st.floats(0, 30),  # arrival
        st.none() | st.floats(0, 20),  # aborted after
    ),
    max_size=14,
)


def _calls(drawn) -> list[tuple[float, int, Request | str]]:
    calls: list[tuple[float, int, Request | str]] = []
    for at, (prompt, output, text, arrival_s, patience_s) in enumerate(drawn):
        ids = [text] * prompt + [100 + at] * output
        request = Request(str(at), prompt, output, chain_keys(ids, 4))
        calls.append((arrival_s, at, request))
        if patience_s is not None:
            calls.append((arrival_s + patience_s, at, str(at)))
    return sorted(calls, key=lambda call: call[:2])


@given(REQUESTS, st.integers(6, 12))
def test_laws_of_the_engine_hold_for_any_arrivals(drawn, blocks):
    engine = Engine(msgspec.structs.replace(SMALL, kv_blocks=blocks))
    emitted: list[Emitted] = []
    aborted = set()
    texts: dict[str, int] = {str(at): text for at, (_, _, text, _, _) in enumerate(drawn)}

    def step_to(now_s: float) -> None:
        while (at_s := engine.next_event_at()) is not None and at_s <= now_s:
            emitted.extend(engine.advance(at_s))
            now = engine.readings()
            assert 0 <= now.kv_usage <= 1
            assert now.running <= 3
            held = {block for s in engine._running for block in s.blocks}
            assert engine.pool.referenced == len(held)
            for one in engine._running:
                assert one.computed <= len(one.blocks) * 4

    for now_s, _, call in _calls(drawn):
        step_to(now_s)
        if isinstance(call, Request):
            engine.submit(call, now_s)
        elif engine.abort(call, now_s):
            aborted.add(call)
    step_to(float("inf"))

    finished = ends(emitted)
    assert sorted([*finished, *aborted]) == sorted(texts), "every request ends exactly once"
    made: dict[str, int] = dict.fromkeys(texts, 0)
    for one in emitted:
        made[one.request_id] += one.tokens
    for at, (prompt, output, text, _, _) in enumerate(drawn):
        name = str(at)
        assert made[name] == output or (name in aborted and made[name] < output)
        cached = [
            one.timing.cached_tokens for one in emitted if one.request_id == name and one.timing
        ]
        others = [other for other in texts if other != name and texts[other] == text]
        assert all(hit == 0 or (others and hit < prompt) for hit in cached)
    now = engine.readings()
    assert (now.running, now.waiting, now.kv_usage) == (0, 0, 0.0)
    assert engine.pool.available == blocks
    assert now.generation_tokens == sum(made.values())
    assert sum(now.finished.values()) == len(drawn)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 10)), min_size=1, max_size=12))
def test_equals_are_scheduled_in_order_of_arrival(sizes):
    engine = Engine(SMALL)
    emitted = run(engine, *(Request(str(at), p, o) for at, (p, o) in enumerate(sizes)))
    scheduled = {int(e.request_id): e.timing.scheduled_s for e in emitted if e.timing}
    assert [scheduled[at] for at in range(len(sizes))] == sorted(scheduled.values())


@given(REQUESTS)
def test_a_run_is_a_function_of_its_calls(drawn):
    def once() -> list[Emitted]:
        engine = Engine(SMALL)
        out: list[Emitted] = []
        for now_s, _, call in _calls(drawn):
            out += engine.advance(now_s)
            if isinstance(call, Request):
                engine.submit(call, now_s)
            else:
                engine.abort(call, now_s)
        return out + drain(engine)

    assert once() == once()


def test_advancing_in_one_leap_or_many_gives_the_same():
    requests = [Request(str(at), 5 + at, 7) for at in range(6)]
    engine = Engine(SMALL)
    for request in requests:
        engine.submit(request, 0.0)
    assert engine.advance(1e9) == run(Engine(SMALL), *requests)


# beside measured engines
