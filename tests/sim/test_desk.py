import asyncio

from tests.sim.rig import call, chat, engine

from tidegate.sim.desk import MAX_SCRIPT_BYTES


def test_models_and_health():
    async def run() -> None:
        async with engine(models=("a", "b"), context=4096) as running:
            rows = (await call(running, "/v1/models")).json()["data"]
            assert [(row["id"], row["max_model_len"]) for row in rows] == [("a", 4096), ("b", 4096)]
            assert (await call(running, "/health")).status == 200

    asyncio.run(run())


def test_faults_are_set_shown_and_cleared_while_it_runs():
    async def run() -> None:
        async with engine() as running:
            body = ["status:503 times=1", {"fault": "cut", "after": 2}]
            shown = (await call(running, "/_sim/faults", body)).json()
            assert [cue["fault"] for cue in shown["faults"]] == ["status", "cut"]
            assert (await chat(running)).status == 503
            shown = (await call(running, "/_sim/faults")).json()
            assert shown["fired"] == {"status": 1}
            assert (await call(running, "/_sim/faults", [])).json()["faults"] == []
            assert (await chat(running)).status == 200

    asyncio.run(run())


def test_a_script_too_large_or_unreadable_leaves_the_old_one():
    async def run() -> None:
        async with engine("status:503") as running:
            for body, status in (
                (b" " * (MAX_SCRIPT_BYTES + 1), 413),
                (b"{", 400),
                (b"3", 400),
                (b'["cut", "nonsense"]', 400),
            ):
                assert (await call(running, "/_sim/faults", body)).status == status
            assert (await chat(running)).status == 503

    asyncio.run(run())


def test_the_log_tells_of_each_request():
    async def run() -> None:
        async with engine("cut after=2 times=1", output_tokens=9) as running:
            await chat(running, stream=True)
            await chat(running)
            told = (await call(running, "/_sim/log")).json()
        cut, whole = told["requests"]
        assert (cut["fault"], cut["chunks_sent"], cut["closed_by"]) == ("cut", 2, "server")
        assert cut["received_s"] <= cut["first_byte_s"] <= cut["closed_s"] <= told["now_s"]
        assert (whole["completed"], whole["tokens_generated"], whole["status"]) == (True, 9, 200)
        assert told["fired"] == {"cut": 1}

    asyncio.run(run())


def test_metrics_are_plain_text():
    async def run() -> None:
        async with engine() as running:
            reply = await call(running, "/metrics")
        assert reply.header(
            "content-type",
        ).startswith("text/plain; version=0.0.4")
        assert b"vllm:num_requests_running" in reply.body

    asyncio.run(run())
