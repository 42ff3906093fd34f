"""Anthropic's batches by its own client: whose they are, what they cost, and once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import pytest
from tests.gateway.batched import HALF, held, settled
from tests.gateway.limited import budget, left
from tests.gateway.rig import Gateway, gateway, run, target, until
from tests.gateway.test_wires import SAID
from tests.gateway.upstream import Exchange, Upstream, whole

from tidegate.core import clock
from tidegate.core.batches import Batches
from tidegate.gateway.batch_watch import EVERY_S, look

USD = 10**9
TEAM = (budget(USD, scope=("team",)),)
BATCH: dict[str, Any] = {
    "id": "msgbatch_up",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": dict.fromkeys(
        ("processing", "succeeded", "errored", "canceled", "expired"), 0
    ),
    "ended_at": None,
    "created_at": "2026-11-22T00:00:00Z",
    "expires_at": "2026-11-23T00:00:00Z",
    "cancel_initiated_at": None,
    "archived_at": None,
    "results_url": None,
}
REQUESTS = [
    {
        "custom_id": f"c-{number}",
        "params": {
            "model": "small",
            "max_tokens": 20,
            "messages": [{"role": "user", "content": f"question {number}"}],
        },
    }
    for number in range(4)
]
ERROR = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}
RESULTS = [
    {"type": "succeeded", "message": SAID},
    {"type": "errored", "error": ERROR},
    {"type": "canceled"},
    {"type": "expired"},
]


class Provider:
    """Anthropic's batches as far as one goes."""

    def __init__(self) -> None:
        self.batch: dict[str, Any] | None = None
        self.asked: Any = None
        self.beta: bytes | None = None
        self.paths: list[tuple[bytes, bytes]] = []
        self.listed: list[dict[str, Any]] = []

    async def __call__(self, exchange: Exchange) -> None:
        method = exchange.head.split(b" ", 1)[0]
        self.paths.append((method, exchange.path))
        if exchange.path.startswith(b"/v1/messages/batches?"):
            await whole(self._list(exchange.path))(exchange)
            return
        if exchange.path == b"/v1/messages/batches":
            self.asked, self.beta = exchange.json, exchange.header(b"anthropic-beta")
            self.batch = {**BATCH}
        if self.batch is None:
            await whole(ERROR, 404)(exchange)
        elif exchange.path.endswith(b"/results"):
            rows = [
                {"custom_id": f"c-{number}", "result": result}
                for number, result in enumerate(RESULTS)
            ]
            await whole(b"\n".join(map(msgspec.json.encode, rows)) + b"\n")(exchange)
        elif method == b"DELETE":
            self.batch = None
            await whole({"id": "msgbatch_up", "type": "message_batch_deleted"})(exchange)
        else:
            if exchange.path.endswith(b"/cancel"):
                self.batch["processing_status"] = "canceling"
            await whole(self.batch)(exchange)

    def _list(self, path: bytes) -> dict[str, Any]:
        """Two on a page."""
        after = path.partition(b"&after_id=")[2].decode()
        ids = [one["id"] for one in self.listed]
        start = ids.index(after) + 1 if after else 0
        rows = self.listed[start : start + 2]
        return {"data": rows, "has_more": start + 2 < len(ids), "first_id": None, "last_id": None}

    def end(self) -> None:
        assert self.batch is not None
        self.batch |= {"processing_status": "ended", "results_url": "https://up/results"}


@contextlib.asynccontextmanager
async def client(it: Gateway, key: str | None = None) -> AsyncIterator[anthropic.AsyncAnthropic]:
    base_url = f"http://{it.address[0]}:{it.address[1]}"
    async with anthropic.AsyncAnthropic(
        api_key=key or it.key, base_url=base_url, max_retries=0
    ) as api:
        yield api


Rig = tuple[Gateway, anthropic.AsyncAnthropic, Provider]


@contextlib.asynccontextmanager
async def batched(folder: Path, **fields: Any) -> AsyncIterator[Rig]:
    provider = Provider()
    plan = {name: fields.pop(name) for name in ("limits",) if name in fields}
    fields = {"dialect": "anthropic", "batches": Batches(HALF), **fields}
    async with (
        Upstream(provider) as up,
        gateway(folder, target(up.port, **fields), **plan) as it,
        client(it) as api,
    ):
        yield it, api, provider


def test_the_whole_loop_prices_each_line_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with batched(tmp_path, limits=TEAM) as (it, api, provider):
            made = await api.messages.batches.create(
                requests=REQUESTS, extra_headers={"anthropic-beta": "b1"}
            )
            assert made.id.startswith("msgbatch_tg")
            assert provider.beta == b"b1"
            assert [one["params"]["model"] for one in provider.asked["requests"]] == [
                "served-model"
            ] * 4
            most = held(it)[0].most_nanousd
            assert USD - left(it, "the-spend", "team-a") == most
            again = await api.messages.batches.retrieve(made.id)
            assert (again.id, again.results_url) == (made.id, None)
            called = await api.messages.batches.cancel(made.id)
            assert called.processing_status == "canceling"
            listed = [one.id async for one in api.messages.batches.list(limit=1)]
            assert listed == [made.id]
            provider.end()
            for _ in range(2):
                rows = [row async for row in await api.messages.batches.results(made.id)]
                assert [row.result.type for row in rows] == [one["type"] for one in RESULTS]
            lines = {one.attributes["custom_id"]: one for one in settled(it)}
            assert len(settled(it)) == len(lines) == 4
            good = lines["c-0"]
            # Half of 1,000 and of 2,000 nano-dollars a token.
            assert good.cost_nanousd == (7 + 4) * 500 + 5 * 1_000
            assert (good.dialect, good.key_id) == ("anthropic_messages", next(iter(it.store.rows)))
            assert [lines[f"c-{n}"].error_code for n in (1, 2, 3)] == [
                "rejected_by_provider",
                "client_closed",
                "upstream_timeout",
            ]
            assert {lines[f"c-{n}"].cost_nanousd for n in (1, 2, 3)} == {0}
            await look(it.world, clock.monotonic_s())
            assert USD - left(it, "the-spend", "team-a") == good.cost_nanousd
            gone = await api.messages.batches.delete(made.id)
            assert gone.id == made.id
            assert [one.id async for one in api.messages.batches.list()] == []
            with pytest.raises(anthropic.NotFoundError):
                await api.messages.batches.retrieve(made.id)

    run(main())


def test_nobody_else_has_it_and_its_results_are_settled_unread(tmp_path: Path) -> None:
    async def main() -> None:
        async with batched(tmp_path, limits=TEAM) as (it, api, provider):
            made = await api.messages.batches.create(requests=REQUESTS)
            for whose in ({"team": "team-b"}, {"customer": "acme"}, {"routes": ("else",)}):
                async with client(it, it.store.add(**whose)) as other:
                    assert [one.id async for one in other.messages.batches.list()] == []
                    for act in ("retrieve", "cancel", "delete"):
                        with pytest.raises(anthropic.NotFoundError, match="no such batch"):
                            await getattr(other.messages.batches, act)(made.id)
            provider.end()
            await look(it.world, clock.monotonic_s() + EVERY_S + 1)
            assert len(settled(it)) == 4
            assert USD - left(it, "the-spend", "team-a") == sum(
                one.cost_nanousd or 0 for one in settled(it)
            )

    run(main())


def test_a_page_begins_at_an_id_of_an_older_pepper(tmp_path: Path) -> None:
    async def main() -> None:
        async with batched(tmp_path) as (it, api, _):
            made = await api.messages.batches.create(requests=REQUESTS)
            it.world.keys._peppers = {**it.world.keys._peppers, 9: b"q" * 32}
            (now,) = [one.id async for one in api.messages.batches.list()]
            assert now != made.id
            for id in (made.id, now):
                assert [one.id async for one in api.messages.batches.list(before_id=id)] == []
                assert [one.id async for one in api.messages.batches.list(after_id=id)] == []
            other = "msgbatch_tg" + "x" * 40
            assert [one.id async for one in api.messages.batches.list(before_id=other)] == [now]

    run(main())


BAD: dict[str, tuple[Any, str]] = {
    "empty": ({"requests": []}, "empty"),
    "none": ({}, "send"),
    "twice": ({"requests": [REQUESTS[0], REQUESTS[0]]}, "that of line 1"),
    "model": (
        {"requests": [{**REQUESTS[0], "params": {**REQUESTS[0]["params"], "model": "x"}}]},
        "no such model",
    ),
    "odd": ({"requests": [{**REQUESTS[0], "odd": 1}]}, "requests.0"),
    "no-ceiling": (
        {"requests": [{"custom_id": "a", "params": {"model": "small", "messages": []}}]},
        "line 1",
    ),
    "stream": (
        {"requests": [{**REQUESTS[0], "params": {**REQUESTS[0]["params"], "stream": True}}]},
        "stream",
    ),
    "text": (b"[", "JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_batch_is_refused_before_anybody_is_asked(tmp_path: Path, name: str) -> None:
    body, why = BAD[name]

    async def main() -> None:
        async with batched(tmp_path) as (it, _, provider):
            reply = await it.ask("/v1/messages/batches", body)
            assert 400 <= reply.status < 500
            assert reply.json["type"] == "error"
            assert why in reply.json["error"]["message"]
            assert provider.paths == []
            assert held(it) == []

    run(main())


def test_what_does_not_fit_or_is_not_granted_is_not_sent(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (budget(1_000, scope=("team",)),)
        async with batched(tmp_path, limits=limits) as (it, api, provider):
            with pytest.raises(anthropic.RateLimitError, match="spent or held"):
                await api.messages.batches.create(requests=REQUESTS)
            async with client(it, it.store.add(routes=("else",))) as other:
                with pytest.raises(anthropic.PermissionDeniedError, match="may not use"):
                    await other.messages.batches.create(requests=REQUESTS)
            assert provider.paths == []
            reply = await it.ask("/v1/messages/batches/x/cancel", method="GET")
            assert reply.status == 405

    run(main())


def test_one_that_leaves_as_it_begins_has_a_batch(tmp_path: Path) -> None:
    async def main() -> None:
        async with batched(tmp_path) as (it, api, provider):
            task = asyncio.ensure_future(api.messages.batches.create(requests=REQUESTS))
            await until(lambda: provider.paths)
            task.cancel()
            await until(lambda: it.world.batches.watched or len(held(it)) == 2)
            assert [one.id async for one in api.messages.batches.list()]

    run(main())


def test_what_is_deleted_as_soon_as_it_was_read_is_held_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with batched(tmp_path, limits=TEAM) as (it, api, provider):
            made = await api.messages.batches.create(requests=REQUESTS)
            provider.end()
            assert [row async for row in await api.messages.batches.results(made.id)]
            await api.messages.batches.delete(made.id)
            await look(it.world, clock.monotonic_s())
            spent = sum(one.cost_nanousd or 0 for one in settled(it))
            assert USD - left(it, "the-spend", "team-a") == spent > 0
            assert not it.world.batches.watched

    run(main())


@pytest.mark.parametrize("what", ["away", "credential", "late"])
def test_what_was_surely_not_begun_is_held_no_more(tmp_path: Path, what: str) -> None:
    """No list of Anthropic's would tell later."""

    async def main() -> None:
        async def refusing(exchange: Exchange) -> None:
            error = {"type": "authentication_error", "message": "invalid x-api-key"}
            await whole({"type": "error", "error": error}, 500 if what == "late" else 401)(exchange)

        fields = {"dialect": "anthropic", "batches": Batches(HALF)}
        async with Upstream(refusing) as up:
            port = 1 if what == "away" else up.port
            async with (
                gateway(tmp_path, target(port, **fields), limits=TEAM) as it,
                client(it) as api,
            ):
                with pytest.raises(anthropic.APIStatusError) as no:
                    await api.messages.batches.create(requests=REQUESTS)
                told = "may have been created" in str(no.value)
                held_nanousd = USD - left(it, "the-spend", "team-a")
                assert (held_nanousd > 0) == (what == "late") == told

    run(main())
