"""How each gateway beside Tidegate is started: command, port, headers, what to know about it."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import install

MASTER_KEY = "sk-bench-master"
_AUTHORIZATION = f"Authorization: Bearer {MASTER_KEY}"


@dataclass(frozen=True)
class Peer:
    """One gateway. `command` is None for the upstream itself.

    `single_rate` is the offered load of the one-connection step, requests a second: far enough
    below what the gateway can do that its queue is empty.
    """

    name: str
    version: str
    port: int
    command: list[str] | None = None
    env: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    start_limit_s: float = 60.0
    single_rate: float = 100.0
    note: str = ""


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def direct(upstream_port: int, _work: Path) -> Peer:
    return Peer("direct", "", upstream_port, note="the mock upstream itself: what is subtracted")


def nginx(upstream_port: int, work: Path) -> Peer:
    program, port, folder = install.nginx(), 8101, work / "nginx"
    temp = " ".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = _write(
        folder,
        "nginx.conf",
        f"""daemon off; master_process off; worker_processes 1;
pid {folder}/pid; error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; {temp}
  upstream mock {{ server 127.0.0.1:{upstream_port}; keepalive 512;
                  keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://mock; proxy_http_version 1.1;
                 proxy_set_header Connection ""; proxy_buffering off; }} }}
}}
""",
    )
    said = subprocess.run([str(program), "-v"], capture_output=True, text=True, check=True)
    return Peer(
        "nginx",
        said.stderr.strip().rsplit("/", 1)[-1],
        port,
        [str(program), "-c", str(config), "-p", str(folder)],
        note="a plain reverse proxy, one worker, no buffering, no log: the physical limit",
    )


def vllm_router(upstream_port: int, _work: Path) -> Peer:
    program = install.vllm_router() / "bin" / "vllm-router"
    where = ["--host", "127.0.0.1", "--port", "8102", "--prometheus-port", "29102"]
    worker = ["--worker-urls", f"http://127.0.0.1:{upstream_port}", "--policy", "round_robin"]
    quiet = ["--log-level", "error", "--disable-retries", "--disable-circuit-breaker"]
    return Peer(
        "vllm-router",
        install.VLLM_ROUTER,
        8102,
        [str(program), *where, *worker, *quiet],
        headers=[_AUTHORIZATION],
        note="Rust; round robin, retries and breaker off; checks no key, keeps no account",
    )


def portkey(upstream_port: int, _work: Path) -> Peer:
    server = "node_modules/@portkey-ai/gateway/build/start-server.js"
    return Peer(
        "portkey",
        f"{install.PORTKEY} (@hono/node-server {install.HONO_NODE_SERVER})",
        8103,
        ["node", str(install.portkey() / server), "--headless", "--port=8103"],
        {"NODE_ENV": "production", "PORT": "8103"},
        [
            _AUTHORIZATION,
            "x-portkey-provider: openai",
            f"x-portkey-custom-host: http://127.0.0.1:{upstream_port}/v1",
        ],
        note="waits a fixed 25 ms before the first chunk of a stream (`setTimeout` in its code)",
    )


def litellm(upstream_port: int, work: Path) -> Peer:
    folder = install.litellm()
    config = _write(
        work,
        "litellm.yaml",
        f"""model_list:
  - model_name: mock-model
    litellm_params:
      {{model: openai/mock-model, api_base: "http://127.0.0.1:{upstream_port}/v1", api_key: sk-x}}
general_settings: {{master_key: {MASTER_KEY}}}
litellm_settings: {{telemetry: false, drop_params: true, set_verbose: false}}
""",
    )
    where = ["--host", "127.0.0.1", "--port", "8104", "--num_workers", "1"]
    return Peer(
        "litellm",
        install.LITELLM,
        8104,
        [
            str(folder / "bin" / "litellm"),
            "--config",
            str(config),
            *where,
            "--telemetry",
            "False",
        ],
        {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_TELEMETRY": "False",
            "PATH": f"{folder / 'bin'}:{os.environ.get('PATH', '')}",
        },
        [_AUTHORIZATION],
        start_limit_s=120.0,
        single_rate=20.0,
        note="one worker, master key, no database; 200 streams overload it",
    )


Maker = Callable[[int, Path], Peer]
MAKERS: dict[str, Maker] = {
    "direct": direct,
    "nginx": nginx,
    "vllm-router": vllm_router,
    "portkey": portkey,
    "litellm": litellm,
}


def extra_peers(upstream_port: int) -> dict[str, Peer]:
    """Gateways of your own: BENCH_EXTRA names a JSON file {name: {"command": [...], "port": ..}}.

    The fields are `Peer`'s; `{upstream_port}` in them stands for the mock upstream's port.
    """
    path = os.environ.get("BENCH_EXTRA")
    if not path:
        return {}
    text = Path(path).read_text().replace("{upstream_port}", str(upstream_port))
    declared = json.loads(text)
    return {name: Peer(name, **{"version": "", **fields}) for name, fields in declared.items()}
