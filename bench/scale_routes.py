"""Does a request cost more when the plan has many routes? Takes turns at 1 route and 1,000."""

import json
from pathlib import Path

from bench import figures, procs, steps, tidegate_peer
from bench.rig import Rig

FEW, MANY = 1, 1000
ROUNDS = 3
_HEAD = """providers:
  mock:
    kind: openai_compatible
    base_url: http://127.0.0.1:${BENCH_UPSTREAM_PORT}/v1
    api_key: none
targets:
  counted: {provider: mock, model: mock-model, tokenizer: o200k, price: free}
"""
_TARGET = """  target-%d:
    provider: mock
    model: mock-model
    price: {input_usd_per_mtok: 0.15, output_usd_per_mtok: 0.60}
"""


def plan_text(routes: int) -> str:
    """A plan of `routes` routes with a target each; the one that is called is the middle one."""
    targets = "".join(_TARGET % number for number in range(routes))
    called = routes // 2
    names = ["mock-model" if number == called else f"route-{number}" for number in range(routes)]
    pairs = "".join(f"  {name}: target-{number}\n" for number, name in enumerate(names))
    return f"{_HEAD}{targets}routes:\n  counted-model: counted\n{pairs}"


def _one(rig: Rig, routes: int) -> dict[str, float]:
    plan = rig.work / f"routes-{routes}.yaml"
    plan.write_text(plan_text(routes))
    with tidegate_peer.running(rig, plan) as running:
        steps.warm_up(rig, running)
        loaded = rig.load(running, "-c", 64, "-d", 3)
        if loaded["ok"] != loaded["sent"]:
            raise RuntimeError(f"wrong answers with {routes} routes: {loaded['first_bad']}")
        return {
            "CPU a request": 1e6 * loaded["gateway_cpu_s"] / loaded["ok"],
            "gateway start to first answer": running.extra["gateway_start_s"],
            "gateway memory": procs.rss_mb(running.gateway_pids()),
        }


def run(rig: Rig, kept: Path) -> int:
    """Measure and keep one line a figure in `kept` (see `figures.keep_scale`)."""
    taken: dict[int, list[dict[str, float]]] = {FEW: [], MANY: []}
    for number in range(ROUNDS):
        for routes in (FEW, MANY):
            taken[routes].append(_one(rig, routes))
            print(
                f"round {number + 1}, {routes} routes: {json.dumps(taken[routes][-1])}", flush=True
            )
    for what, unit in (
        ("CPU a request", "us"),
        ("gateway start to first answer", "s"),
        ("gateway memory", "MB"),
    ):
        points = []
        for routes, rounds in taken.items():
            middle = figures.spread([one[what] for one in rounds])
            assert middle is not None
            points.append([routes, middle.median])
        figures.keep_scale(kept, {"what": f"{what}, by routes", "unit": unit, "points": points})
    return 0
