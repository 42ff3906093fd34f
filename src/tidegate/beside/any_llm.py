"""The process that speaks OpenAI's chat on loopback and asks any-llm's providers in turn.

    python -m tidegate.beside.any_llm --listen 127.0.0.1:4011 --parent-fd FD

The gateway sends it what it would send any server of that wire, each request with the credential of
its target. It keeps no secret of its own: of the environment only what programs need to run and to
reach the network is left, so that no SDK finds a key that no plan has named. It ends when the other
end of FD closes. Nothing else imports this module: only its process pays for the library.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys

import uvicorn
from any_llm import AnyLLM

from tidegate.beside.asking import Asker
from tidegate.beside.serving import Server
from tidegate.core.address import is_loopback, parse_listen

_KEPT = (
    *("PATH", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


def forget_secrets() -> None:
    """Leaves of the environment what is no secret, and no home: clouds' tools keep theirs there."""
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(("LC_", "PYTHON")):
            del os.environ[name]
    os.environ["HOME"] = "/nonexistent"


async def _serve(host: str, port: int, parent_fd: int) -> None:
    app = Server(Asker(AnyLLM.create))
    config = uvicorn.Config(
        app, host, port, lifespan="off", access_log=False, log_config=None, server_header=False
    )
    server = uvicorn.Server(config)
    os.set_blocking(parent_fd, False)

    def look() -> None:
        try:
            gone = not os.read(parent_fd, 1)
        except BlockingIOError:
            return
        if gone:
            asyncio.get_running_loop().remove_reader(parent_fd)
            server.should_exit = True

    asyncio.get_running_loop().add_reader(parent_fd, look)
    await server.serve()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tidegate.beside.any_llm")
    parser.add_argument("--listen", type=parse_listen, required=True)
    parser.add_argument("--parent-fd", type=int, required=True)
    asked = parser.parse_args(arguments)
    if not is_loopback(asked.listen.host):
        parser.error("it serves this machine alone: --listen 127.0.0.1:PORT")
    # Ctrl-C in a terminal reaches the whole group; the parent ends us when it has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s any-llm: %(name)s")
    forget_secrets()
    asyncio.run(_serve(asked.listen.host, asked.listen.port, asked.parent_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
