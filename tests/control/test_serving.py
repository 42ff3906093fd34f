"""The API's server leaves signals to the process, and tells nobody what it is."""

import asyncio
import contextlib
import signal
import socket

import httpx2
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tidegate.control.serving import Server


async def _answer(request: object) -> PlainTextResponse:
    return PlainTextResponse("here")


def test_it_answers_until_it_is_told_to_end_and_takes_no_signal() -> None:
    async def main() -> None:
        server = Server(Starlette(routes=[Route("/", _answer)]))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            before = signal.getsignal(signal.SIGTERM)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            host, port = listener.getsockname()
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"http://{host}:{port}/")
            assert (answer.text, "server" in answer.headers) == ("here", False)
            assert signal.getsignal(signal.SIGTERM) is before
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    asyncio.run(main())
