"""The process that speaks OpenAI's chat on loopback and asks any-llm's providers in turn.

    python -m tidegate.beside.any_llm --listen 127.0.0.1:4011 --parent-fd FD

The gateway sends it what it would send any server of that wire, each request with the credential of
its target. It keeps no secret of its own, nor what the environment has of them. It ends when the
other end of FD closes, and when its loop stands still. Nothing else imports this module: only its
process pays for the library.
"""

import argparse
import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import uvicorn
from any_llm import AnyLLM

from tidegate.beside.asking import Asker
from tidegate.beside.environment import harmless
from tidegate.beside.logs import write_quietly
from tidegate.beside.places import THREADS, Places
from tidegate.beside.serving import Server
from tidegate.beside.stalls import end_when_stalled
from tidegate.core.address import is_loopback, parse_listen

_GRACE_S: Final = 5


async def _serve(host: str, port: int, parent_fd: int) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "sdk"))
    watching = loop.create_task(end_when_stalled())
    app = Server(Asker(AnyLLM.create), Places())
    config = uvicorn.Config(
        app,
        host,
        port,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    os.set_blocking(parent_fd, False)

    def look() -> None:
        try:
            gone = not os.read(parent_fd, 1)
        except BlockingIOError:
            return
        if gone:
            loop.remove_reader(parent_fd)
            server.should_exit = True

    loop.add_reader(parent_fd, look)
    await server.serve()
    watching.cancel()
    os._exit(0)  # a thread of an SDK that hangs is waited for by nobody


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tidegate.beside.any_llm")
    parser.add_argument("--listen", type=parse_listen, required=True)
    parser.add_argument("--parent-fd", type=int, required=True)
    asked = parser.parse_args(arguments)
    if not is_loopback(asked.listen.host):
        parser.error("it serves this machine alone: --listen 127.0.0.1:PORT")
    # Ctrl-C in a terminal reaches the whole group; the parent ends us when it has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    write_quietly()
    kept = harmless(os.environ)  # as `tidegate up` gives it, and whoever starts it by hand does not
    os.environ.clear()
    os.environ.update(kept)
    asyncio.run(_serve(asked.listen.host, asked.listen.port, asked.parent_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
