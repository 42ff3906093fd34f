"""Engines over real sockets, as bad as they come, and a plan of them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tidegate.config.load import compile_file
from tidegate.core.plan import Plan

Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads a request and then does `talk`; its port, and the requests so far."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    asked.append(connection.recv(65_536))
                    talk(connection)
                except OSError:
                    pass  # the client has gone

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Talk:
    """Answers whole, and closes."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    head = "\r\n".join((*lines, "", "")).encode()
    return lambda connection: connection.sendall(head + body)


def plan(targets: str) -> Plan:
    """A plan of one route to each of these targets (YAML), whose provider `gpu` is a vLLM."""
    names = [line.split(":")[0].strip() for line in targets.splitlines() if line.strip()]
    routes = ", ".join(f"r{at}: {name}" for at, name in enumerate(names))
    text = f"""
providers:
  gpu: {{kind: vllm, base_url: "http://127.0.0.1:1/v1"}}
  cloud: {{kind: openai, api_key: none, base_url: "http://127.0.0.1:2/v1"}}
targets:
{targets}
routes: {{{routes}}}
"""
    compiled = compile_file(text.encode(), {}, 1, 1_795_000_000.0)
    assert compiled.plan is not None, [str(one) for one in compiled.problems]
    return compiled.plan


def vllm_page(running: float, tokens: float, cache: float | None = 0.5) -> bytes:
    """As vLLM's, of one engine with `tokens` generated so far."""
    lines = [
        f'vllm:num_requests_running{{engine="0"}} {running}',
        'vllm:num_requests_waiting{engine="0"} 0',
        f'vllm:generation_tokens_total{{engine="0"}} {tokens}',
    ]
    if cache is not None:
        lines.append(f'vllm:kv_cache_usage_perc{{engine="0"}} {cache}')
    return "".join(f"{line}\n" for line in lines).encode()
