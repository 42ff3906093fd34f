"""Does a busy loop keep callers waiting? One connection, open loop, beside a control whose loop
looks at the objectives of 500 routes every second, and beside one whose loop rests; in turns."""

import json

from bench import figures, steps, tidegate_peer
from bench.rig import Rig

ROUTES, ROUNDS = 500, 3
_PLAN = """control: {loop: {tick: %s, lease: 12h}}
providers:
  mock:
    kind: openai_compatible
    base_url: http://127.0.0.1:${BENCH_UPSTREAM_PORT}/v1
    api_key: none
targets:
  priced: {provider: mock, model: mock-model, price: free, max_connections: 4096}
routes:
  counted-model: {target: priced, slo: chat}
  mock-model: {target: priced, slo: chat}
"""
_ROUTE = "  route-%d: {target: priced, slo: chat}\n"


def run(rig: Rig) -> int:
    """Prints the added wait of each, medians over the rounds and their range, in ms."""
    taken: dict[str, list[dict[str, float]]] = {"1s": [], "4h": []}
    for _ in range(ROUNDS):
        for tick, rounds in taken.items():
            plan = rig.work / f"loop-{tick}.yaml"
            others = "".join(_ROUTE % number for number in range(ROUTES - 2))
            plan.write_text(_PLAN % tick + others)
            with tidegate_peer.running(rig, plan) as running:
                steps.warm_up(rig, running)
                found = steps.single_latency(rig, running)
                rounds.append({name: found[name] for name in ("lat_p50", "lat_p99")})
            print(f"tick {tick}: {json.dumps(rounds[-1])}", flush=True)
    for name in ("lat_p50", "lat_p99"):
        for tick, rounds in taken.items():
            middle = figures.spread([one[name] for one in rounds])
            assert middle is not None
            span = f"{middle.low:.2f} to {middle.high:.2f}"
            print(f"{name} with a tick of {tick}: {middle.median:.2f} ({span}) ms")
    return 0
