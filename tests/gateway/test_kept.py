"""Answers that a provider stores, read and deleted by the official client of whose they are."""

from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import structs
from tests.gateway.rig import Gateway, gateway, run, until
from tests.gateway.test_stored import ASKED, said, to
from tests.gateway.test_wires_responses import client
from tests.gateway.token_servers import EntraServer
from tests.gateway.upstream import Exchange, Script, Upstream, whole
from tests.providers.responses_wire import response

from tidegate.core.identity import AzureIdentity, Identity

ITEMS = {
    "object": "list",
    "data": [{"id": "msg_1", "type": "message", "role": "user", "content": []}],
    "first_id": "msg_1",
    "last_id": "msg_1",
    "has_more": False,
}
GONE: Script = whole({"error": {"message": "sk-upstream: no resp_up", "type": "x"}}, 404)


def method(exchange: Exchange) -> bytes:
    return exchange.head.split(b" ", 1)[0]


async def store(api: openai.AsyncOpenAI) -> Any:
    return await api.responses.create(**ASKED)


def test_who_has_stored_it_reads_it_where_it_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(said()) as one,
            Upstream(said()) as other,
            gateway(tmp_path, to(one, other)) as it,
            client(it) as api,
        ):
            answer = await store(api)
            up = one if one.exchanges else other
            for _ in range(4):
                again = await api.responses.retrieve(answer.id)
                assert (again.id, again.output_text) == (answer.id, answer.output_text)
            assert len(up.exchanges) == 5
            assert method(up.exchanges[-1]) == b"GET"
            assert up.exchanges[-1].path == b"/v1/responses/resp_up"
            up.script = whole(ITEMS)
            items = await api.responses.input_items.list(answer.id, limit=2, order="asc")
            assert [item.id for item in items.data] == ["msg_1"]
            assert up.exchanges[-1].path == b"/v1/responses/resp_up/input_items?limit=2&order=asc"
            up.script = whole({"id": "resp_up", "object": "response", "deleted": True})
            raw = await api.responses.with_raw_response.delete(answer.id)
            assert raw.http_response.json()["id"] == answer.id
            assert method(up.exchanges[-1]) == b"DELETE"
            assert "x-request-id" in raw.headers
            assert len(it.receipts()) == 1

    run(main())


def test_it_is_read_as_the_identity_that_stored_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with EntraServer() as server, Upstream(said()) as up:
            azure = AzureIdentity(tenant_id="tenant", client_id="app", authority=server.url)
            target = structs.replace(to(up), credential=None, identity=Identity(azure=azure))
            environ = {"AZURE_CLIENT_SECRET": "app-secret"}
            async with gateway(tmp_path, target, environ=environ) as it, client(it) as api:
                answer = await store(api)
                assert (await api.responses.retrieve(answer.id)).id == answer.id
                sent = [exchange.header(b"authorization") for exchange in up.exchanges]
                assert sent == [b"Bearer token-1"] * 2
                await it.preparer.identities.stop()

    run(main())


def test_a_token_that_is_refused_is_renewed_for_who_asks_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with EntraServer() as server, Upstream(said()) as up:
            azure = AzureIdentity(tenant_id="tenant", client_id="app", authority=server.url)
            target = structs.replace(to(up), credential=None, identity=Identity(azure=azure))
            environ = {"AZURE_CLIENT_SECRET": "app-secret"}
            async with gateway(tmp_path, target, environ=environ) as it, client(it) as api:
                answer = await store(api)
                up.script = whole({"error": {"message": "no: token-1", "type": "x"}}, 401)
                with pytest.raises(openai.APIStatusError) as no:
                    await api.responses.retrieve(answer.id)
                assert "token-1" not in no.value.response.text
                await until(lambda: server.given == 2)
                up.script = said()
                assert (await api.responses.retrieve(answer.id)).id == answer.id
                assert up.exchanges[-1].header(b"authorization") == b"Bearer token-2"
                await it.preparer.identities.stop()

    run(main())


def test_nobody_else_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it, client(it) as api:
            answer = await store(api)
            for key in (it.store.add(team="team-b"), it.store.add(routes=("other",))):
                stranger = api.with_options(api_key=key)
                with pytest.raises(openai.NotFoundError):
                    await stranger.responses.retrieve(answer.id)
                with pytest.raises(openai.NotFoundError):
                    await stranger.responses.delete(answer.id)
            for id in ("resp_up", answer.id[:-1] + "x", "a" * 300):
                with pytest.raises(openai.NotFoundError):
                    await api.responses.retrieve(id)
            with pytest.raises(openai.AuthenticationError):
                await api.with_options(api_key="sk-tg-no").responses.retrieve(answer.id)
            assert len(up.exchanges) == 1

    run(main())


def test_what_is_no_answer_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it, client(it) as api:
            answer = await store(api)
            up.script = GONE
            with pytest.raises(openai.NotFoundError, match="not any more") as no:
                await api.responses.retrieve(answer.id)
            assert "resp_up" not in str(no.value).replace(answer.id, "")
            for status, error in ((429, openai.RateLimitError), (500, openai.InternalServerError)):
                up.script = whole(b"{}", status)
                with pytest.raises(error):
                    await api.responses.retrieve(answer.id)
            up.script = closing
            with pytest.raises(openai.InternalServerError):
                await api.responses.retrieve(answer.id)
            up.script = whole(response())
            assert (await api.responses.retrieve(answer.id)).id == answer.id

    run(main())


async def closing(exchange: Exchange) -> None:
    exchange.transport.close()


def test_what_it_does_not_do_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it, client(it) as api:
            answer = await store(api)
            with pytest.raises(openai.BadRequestError):
                await api.responses.retrieve(answer.id, stream=True)
            with pytest.raises(openai.BadRequestError):
                await api.responses.retrieve(answer.id, extra_query={"x": "1"})
            with pytest.raises(openai.NotFoundError):
                await api.responses.cancel(answer.id)
            assert (await code(it, f"/v1/responses/{answer.id}/x")) == "not_found"
            assert (await code(it, "/v1/responses")) == "method_not_allowed"
            assert len(up.exchanges) == 1

    run(main())


async def code(it: Gateway, path: str) -> str:
    reply = await it.ask(path, method="GET")
    return reply.code
