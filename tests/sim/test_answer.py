import asyncio

from tests.sim.rig import chat, engine


def test_a_stream_is_paced_by_the_engines_steps():
    async def run() -> None:
        async with engine(profile="steady", speed=4.0) as running:
            await chat(running, stream=True, ignore_eos=True, max_tokens=5)
            (entry,) = running.sim.log
            seen = running.sim.pump.engine.histograms.inter_token_s
        assert (seen.count, round(seen.total, 6)) == (4, 0.08)
        assert (entry.chunks_sent, entry.tokens_generated, entry.completed) == (5, 5, True)

    asyncio.run(run())


def test_sent_tokens_are_the_engines_and_usage_is_their_count():
    async def run() -> None:
        async with engine() as running:
            asked = {"stream": True, "stream_options": {"include_usage": True}}
            for seed in range(10):
                reply = await chat(running, seed=seed, stop=["the"], n=2, **asked)
                entry = list(running.sim.log)[-1]
                told = reply.events()[-2]["usage"]
                assert told["completion_tokens"] == entry.chunks_sent == entry.tokens_generated
                assert told["prompt_tokens"] == entry.prompt_tokens
            made = sum(entry.tokens_generated for entry in running.sim.log)
            assert running.sim.pump.engine.readings().generation_tokens == made

    asyncio.run(run())


def test_the_answers_id_is_the_entrys():
    async def run() -> None:
        async with engine() as running:
            reply = await chat(running, headers={"x-request-id": "mine"})
            (entry,) = running.sim.log
        assert reply.json()["id"] == f"chatcmpl-{entry.id}"
        assert entry.client_request_id == "mine"

    asyncio.run(run())
