"""What changes cost: laying a hundred over a plan of two hundred routes, and the time until the
last of four gateways obeys one, from the operator's request on."""

import asyncio
import http.client
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.core.levers import LEVERS
from tidegate.core.plan import Candidate, Plan, Release, Replica, Route, Share, Target
from tidegate.gateway.levers import Standing
from tidegate.gateway.overlay import overlay
from tidegate.gateway.prepared import PreparedPlan, Preparer
from tidegate.stores.memory_counters import memory_counters

ROUTES, TARGETS, CHANGES, RUNS = 200, 40, 100, 500
GATEWAYS, FLIPS = 4, 200
OVERLAY_BAR_S, FLIP_BAR_S = 0.001, 1.0
_START_S = 60.0
_PLAN = """\
gateway: {{processes: {gateways}}}
providers:
  mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  small: {{provider: mine, model: small, price: free}}
  large: {{provider: mine, model: large, price: free}}
routes:
  chat: {{targets: {{small: 1, large: 1}}}}
"""


def run() -> int:
    """Prints both figures; 1 where one is over its bar."""
    overlay_s = _overlays()
    _say("CPU of laying 100 changes over 200 routes", overlay_s, 1e6, "us", OVERLAY_BAR_S)
    flips_s = _flips()
    _say(f"a weight obeyed by {GATEWAYS} gateways", flips_s, 1e3, "ms", FLIP_BAR_S)
    return int(_p99(overlay_s) > OVERLAY_BAR_S or _p99(flips_s) > FLIP_BAR_S)


def _say(what: str, took_s: list[float], scale: float, unit: str, bar_s: float) -> None:
    median, p99 = statistics.median(took_s) * scale, _p99(took_s) * scale
    print(f"{what}: median {median:,.0f} {unit}, p99 {p99:,.0f} {unit} (bar {bar_s * scale:,.0f})")


def _p99(took_s: list[float]) -> float:
    return sorted(took_s)[int(len(took_s) * 0.99)]


def _overlays() -> list[float]:
    base, standing = asyncio.run(_prepared()), _standing()
    took_s = []
    for _ in range(RUNS):
        begun_s = time.thread_time()
        laid = overlay(base, standing)
        took_s.append(time.thread_time() - begun_s)
    if laid is base:
        raise RuntimeError("no change was laid over the plan")
    return took_s


async def _prepared() -> PreparedPlan:
    targets = [_target(number) for number in range(TARGETS)]
    routes = {}
    for number in range(ROUTES):
        one, two, three = (targets[(number + step) % TARGETS] for step in (0, 7, 19))
        release = Release(f"r{number}@1", one, 1.0, (Share(two),))
        coming = Route(f"r{number}", Release(f"r{number}@2", three))
        chain = (("unavailable", (three,)),)
        candidate = Candidate(f"r{number}/next", "salt", coming)
        routes[f"r{number}"] = Route(f"r{number}", release, fallbacks=chain, candidate=candidate)
    return await Preparer({}, memory_counters).prepare(Plan(1, "d", 1.0, routes))


def _target(number: int) -> Target:
    replica = Replica("one", "http", "127.0.0.1", 9, "/v1")
    return Target(f"t{number}", "mine", "openai_compatible", "m", (replica,))


def _standing() -> Standing:
    """A hundred: most of them weights of releases, a few of each other lever."""
    standing: dict[str, dict[str, float]] = {name: {} for name in LEVERS}
    for number in range(CHANGES - 30):
        standing["release_weight"][f"r{number}"] = 0.05
    for number in range(10):
        standing["output_cap_tokens"][f"r{number * 3}"] = 500.0
        standing["target_weight"][f"r{number * 5}/t{number * 5 % TARGETS}"] = 3.0
    for number in range(5):
        standing["release_off"][f"r{number}"] = 1.0
        standing["route_off"][f"r{100 + number}"] = 1.0
    standing["target_off"]["t3"] = standing["target_off"]["t4"] = 1.0
    return standing


def _flips() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        plan, state = Path(folder) / "tidegate.yaml", Path(folder) / "state"
        plan.write_text(_PLAN.format(gateways=GATEWAYS))
        command = [sys.executable, "-m", "tidegate.boot", "up", "--quiet", "--config", str(plan)]
        command += ["--state", str(state), "--listen", "127.0.0.1:0"]
        command += ["--control-listen", "127.0.0.1:0"]
        process = subprocess.Popen(command)
        try:
            return _flipped(state)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_START_S)


def _flipped(state: Path) -> list[float]:
    address, until_s = "", time.monotonic() + _START_S
    while True:
        try:
            address = urlsplit((state / "run" / "control.url").read_text().strip()).netloc
            if len(_ask(state, address, "GET", "/api/gateways")["gateways"]) == GATEWAYS:
                break
        except (OSError, KeyError):
            pass
        if time.monotonic() > until_s:
            raise RuntimeError("the gateways did not start")
        time.sleep(0.1)
    took_s = []
    for number in range(FLIPS):
        asked = {"lever": "target_weight", "scope": "chat/small", "reason": "bench", "for_s": 60}
        begun_s = time.monotonic()
        made = _ask(state, address, "POST", "/api/changes", {**asked, "value": 1 + number % 2})
        took_s.append(time.monotonic() - begun_s)
        if made["waiting_for"]:
            raise RuntimeError(f"not obeyed within a second by {made['waiting_for']}")
    return took_s


def _ask(state: Path, address: str, method: str, path: str, body: Any = None) -> Any:
    token = (state / "operator.token").read_text().strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    content = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request(method, path, content, headers)
        return json.loads(connection.getresponse().read())
