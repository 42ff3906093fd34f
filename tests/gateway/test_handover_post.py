"""One handover over the wire: what is sent, and what is taken for a no."""

from typing import Any

import pytest
from tests.gateway.rig import run
from tests.gateway.upstream import Upstream, whole

from tidegate.core.ladder import Handover
from tidegate.core.secret import Secret
from tidegate.gateway.handover_post import Refused, post


def test_it_is_a_post_of_json_with_its_id_and_token() -> None:
    async def main() -> None:
        async with Upstream(whole({}, 202)) as desk:
            to = Handover(f"http://127.0.0.1:{desk.port}/a/b")
            await post(to, "r-1", b'{"id":"r-1"}', Secret("hush"), {})
            asked = await desk.arrived()
            assert asked.head.startswith(b"POST /a/b HTTP/1.1\r\n")
            assert asked.body == b'{"id":"r-1"}'
            for name, value in (
                (b"host", b"127.0.0.1:%d" % desk.port),
                (b"content-type", b"application/json"),
                (b"idempotency-key", b"r-1"),
                (b"authorization", b"Bearer hush"),
            ):
                assert asked.header(name) == value

    run(main())


@pytest.mark.parametrize("status", [301, 400, 401, 500, 503])
def test_anything_but_2xx_is_a_no(status: int) -> None:
    async def main() -> None:
        async with Upstream(whole({}, status)) as desk:
            with pytest.raises(Refused, match=str(status)):
                await post(Handover(f"http://127.0.0.1:{desk.port}"), "r", b"{}", None, {})

    run(main())


def test_who_hangs_up_or_is_not_there_has_not_taken_it() -> None:
    async def drop(exchange: Any) -> None:
        exchange.transport.abort()

    async def main() -> None:
        async with Upstream(drop) as desk:
            with pytest.raises(Refused):
                await post(Handover(f"http://127.0.0.1:{desk.port}"), "r", b"{}", None, {})
            port = desk.port
        with pytest.raises(Refused, match="cannot be reached"):
            await post(Handover(f"http://127.0.0.1:{port}"), "r", b"{}", None, {})

    run(main())


def test_it_goes_by_the_proxy_that_the_environment_names() -> None:
    async def main() -> None:
        async with Upstream(whole({})) as proxy:
            environ = {"http_proxy": f"http://127.0.0.1:{proxy.port}"}
            await post(Handover("http://desk.invalid/x"), "r", b"{}", None, environ)
            asked = await proxy.arrived()
            assert asked.head.startswith(b"POST http://desk.invalid:80/x HTTP/1.1\r\n")
        with pytest.raises(Refused, match="proxy"):
            await post(Handover("http://desk.invalid"), "r", b"{}", None, {"http_proxy": "ftp://x"})

    run(main())
