"""Who is compared when providers fail: Tidegate, LiteLLM and the bare SDK, each with one entry a
case, so that what one case did to a target is forgotten in the next.

All wait equally long for a provider. LiteLLM's settings are those of its page on reliability:
fallbacks, and a deployment left alone after as many failures and for as long as Tidegate's breaker
does. Its policy by kind of failure is what lets it leave the only deployment of a group. With a
retry of the same deployment before the fallback it did worse, so it has none.
"""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine, peers, procs, tidegate_peer
from bench.faults import (
    CASES,
    CONNECT_S,
    FIRST_TOKEN_S,
    KEYS,
    SILENCE_S,
    WHOLE_S,
    Case,
)
from bench.rig import Rig, fetch

TIDEGATE, LITELLM, SDK = "tidegate", "litellm", "bare SDK"
NAMES = (TIDEGATE, LITELLM, SDK)
FAILURES, LEFT_ALONE_S = 5, 10
PRICE = {"input_usd_per_mtok": 2.5, "output_usd_per_mtok": 10.0}
_CLASSES = ("unavailable", "rate_limited", "malformed")
_LITELLM_PORT = 8114
_COUNTED = ("Timeout", "RateLimit", "InternalServer", "ServiceUnavailable", "BadGateway")


@dataclass(frozen=True)
class Ports:
    """Where the providers are; nobody listens at `dead`."""

    upstream: int
    dead: int

    def url(self, case: Case, who: str) -> str:
        gone = case.name == "dead" and who == "primary"
        return f"http://127.0.0.1:{self.dead if gone else self.upstream}/{case.name}/{who}/v1"


@dataclass(frozen=True)
class System:
    """How a client reaches one of the compared; `keys` are used by turns."""

    name: str
    version: str
    base_url: str | None
    keys: tuple[str, ...]

    def address(self, case: Case, ports: Ports) -> str:
        return self.base_url or ports.url(case, "primary")


def bare_sdk(version: str) -> System:
    return System(SDK, version, None, KEYS)


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def tidegate_plan(ports: Ports) -> dict[str, Any]:
    """The plan file, as JSON, which is YAML."""
    deadlines = {"connect_s": CONNECT_S, "first_token_s": FIRST_TOKEN_S}
    deadlines |= {"gap_s": SILENCE_S, "total_s": WHOLE_S}
    providers, targets, routes = {}, {}, {}
    for case in CASES:
        both = [f"{case.name}-{who}" for who in ("primary", "secondary")]
        for name in both:
            who = name.rpartition("-")[2]
            address = ports.url(case, who)
            providers[name] = {"kind": "openai_compatible", "base_url": address}
            targets[name] = {"provider": name, "model": "m", "price": PRICE, "deadlines": deadlines}
            targets[name]["api_keys"] = ["${BENCH_KEY_0}"]
        if case.shape == "keys":
            targets[both[0]]["api_keys"] = [f"${{BENCH_KEY_{i}}}" for i in range(len(KEYS))]
        if case.shape == "pool":
            routes[case.name] = {"targets": dict.fromkeys(both, 1), "balance": "fastest"}
        else:
            following = {name: [both[1]] for name in _CLASSES}
            routes[case.name] = {"target": both[0], "fallbacks": following}
    return {"providers": providers, "targets": targets, "routes": routes}


def litellm_config(ports: Ports) -> dict[str, Any]:
    models, fallbacks = [], []
    for case in CASES:
        keys = KEYS if case.shape == "keys" else KEYS[:1]
        models += [_deployment(case.name, ports.url(case, "primary"), key) for key in keys]
        spare = case.name if case.shape == "pool" else f"{case.name}-spare"
        models.append(_deployment(spare, ports.url(case, "secondary"), KEYS[0]))
        if spare != case.name:
            fallbacks.append({case.name: [spare]})
    policy = {f"{kind}ErrorAllowedFails": FAILURES - 1 for kind in _COUNTED}
    return {
        "model_list": models,
        "router_settings": {
            "num_retries": 0,
            "timeout": WHOLE_S,
            "stream_timeout": FIRST_TOKEN_S,
            "allowed_fails_policy": {**policy, "AuthenticationErrorAllowedFails": 0},
            "cooldown_time": LEFT_ALONE_S,
            "fallbacks": fallbacks,
            "routing_strategy": "latency-based-routing",
        },
        "general_settings": {"master_key": peers.MASTER_KEY},
        "litellm_settings": {"telemetry": False, "drop_params": True, "set_verbose": False},
    }


def _deployment(group: str, url: str, key: str) -> dict[str, Any]:
    wanted = {"model": "openai/m", "api_base": url, "api_key": key}
    wanted |= {"input_cost_per_token": 2.5e-6, "output_cost_per_token": 1e-5}
    return {"model_name": group, "litellm_params": wanted}


@contextmanager
def litellm(rig: Rig, ports: Ports) -> Iterator[System]:
    config = rig.work / "litellm_faults.yaml"
    config.write_text(json.dumps(litellm_config(ports)))
    peer = peers.litellm(0, rig.work)
    assert peer.command is not None
    command = list(peer.command)
    command[command.index("--config") + 1] = str(config)
    command[command.index("--port") + 1] = str(_LITELLM_PORT)
    process = rig.spawn("litellm", command, peer.env)
    system = System(
        LITELLM, peer.version, f"http://127.0.0.1:{_LITELLM_PORT}/v1", (peers.MASTER_KEY,)
    )
    try:
        _await(_LITELLM_PORT, system.keys[0], peer.start_limit_s)
        yield system
    finally:
        procs.stop(process)


@contextmanager
def tidegate(rig: Rig, ports: Ports) -> Iterator[System]:
    plan: Path = rig.work / "tidegate_faults.yaml"
    plan.write_text(json.dumps(tidegate_plan(ports)))
    keys = {f"BENCH_KEY_{number}": key for number, key in enumerate(KEYS)}
    with tidegate_peer.started(rig, plan, keys) as (key, _, _):
        _await(tidegate_peer.GATEWAY_PORT, key, 30.0)
        address = f"http://127.0.0.1:{tidegate_peer.GATEWAY_PORT}/v1"
        yield System(TIDEGATE, machine.commit(), address, (key,))


def _await(port: int, key: str, limit_s: float) -> None:
    """Until it answers the case in which nothing is wrong. RuntimeError when it never does."""
    wanted = {"model": "healthy", "messages": [{"role": "user", "content": "hi"}]}
    headers = ["Content-Type: application/json", f"Authorization: Bearer {key}"]
    said, since = "nothing", time.monotonic()
    while time.monotonic() - since < limit_s:
        try:
            fetch(port, "/v1/chat/completions", json.dumps(wanted).encode(), headers)
            return
        except (OSError, http.client.HTTPException) as error:
            said = str(error)
        time.sleep(0.05)
    raise RuntimeError(f"no answer at port {port} in {limit_s:.0f} s: {said}")


GATEWAYS: dict[str, Callable[[Rig, Ports], AbstractContextManager[System]]] = {
    LITELLM: litellm,
    TIDEGATE: tidegate,
}
