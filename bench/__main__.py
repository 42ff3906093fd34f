"""Tidegate beside other gateways, on one core.

    python -m bench [all]            build, install, measure, write docs/benchmarks.md
    python -m bench install          only build the tools and install the peers
    python -m bench check [NAME...]  start each, verify 20 plain and 20 streamed answers
    python -m bench run [NAME...]    measure; keeps one JSON line a gateway and round
    python -m bench request [--beside CHECKOUT]    CPU of one request, and of another checkout's
    python -m bench ladder    CPU of one request with a ladder that it does not need, and without
    python -m bench routes           CPU a request with 1 route and with 1,000
    python -m bench changes          changes over a large plan, and how soon gateways obey one
    python -m bench limits           CPU and memory of limits, without a gateway
    python -m bench dialects         CPU of translating a chunk and a request between dialects
    python -m bench validity         CPU of following a chunk of JSON
    python -m bench signals          CPU of folding a receipt and of reading 13 months
    python -m bench releases         CPU of assigning a request, and of a plan with 200 releases
    python -m bench loop [--beside CHECKOUT]    CPU of a tick of the loop over 500 routes
    python -m bench loop-beside      what callers wait while the loop looks at 500 routes
    python -m bench prompts          CPU of indexing 10,000 prompts in Git, and of rendering one
    python -m bench evals            cases a second of a run of both sides, on one core
    python -m bench gate             CPU of a gate's statistics over 100,000 cases
    python -m bench cache            lookups of kept answers, and how many a second are given
    python -m bench cache_worth      what a skewed stream saves by tier, and what is turned off
    python -m bench wordings         answers to other wordings, and what others wait beside them
    python -m bench vectors          finding the nearest of 100,000 kept questions
    python -m bench redis            wait and CPU of limits that gateways share
    python -m bench memory [--requests N] [--pieces K] [--streamed SHARE]    is memory flat?
    python -m bench resilience [CASE...]    beside LiteLLM and the bare SDK while a provider fails
    python -m bench release_stats [--runs SHARE] [--only WORDS]    what a release's tests find
    python -m bench judge_drift      how soon a judge that drifts is found, and how seldom wrongly
    python -m bench release_cost     CPU of folding a release's receipts and judging its blocks
    python -m bench profile [plain|streams] [--seconds S] where the gateway's CPU goes
    python -m bench table            write docs/benchmarks.md from what was kept
    python -m bench resilience-table write docs/resilience-bench.md from what was kept

Environment: TIDEGATE_BENCH_CACHE (~/.cache/tidegate-bench), BENCH_ROUNDS (3), BENCH_GATEWAY_CORE
(1), BENCH_LOAD_CORE (0), BENCH_EXTRA (a JSON file of more gateways, see peers.py).
"""

import argparse
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import (
    cache,
    cache_worth,
    cached_vectors,
    changes,
    dialects,
    evals,
    flat_memory,
    gate,
    install,
    judge_drift,
    ladder,
    limits,
    loop,
    loop_beside,
    machine,
    peers,
    profile,
    prompts,
    release_cost,
    release_stats,
    releases,
    report,
    request,
    resilience,
    resilience_table,
    scale_routes,
    shared_limits,
    signals,
    steps,
    tidegate_peer,
    validity,
    vectors,
    wordings,
)
from bench.faults import BY_NAME
from bench.rig import Rig, Running

RESULTS = install.CACHE / "results"
DOCUMENT = install.HERE.parent / "docs" / "benchmarks.md"
FAILING = RESULTS / "resilience.json"
FAILING_DOCUMENT = DOCUMENT.with_name("resilience-bench.md")
TIDEGATE = "tidegate"
LIMITED = report.LIMITED
# What keeps one gateway from being measured is said in its row; the others go on.
NOT_RUN = (install.Unavailable, RuntimeError, OSError, subprocess.SubprocessError, sqlite3.Error)


def names_of(wanted: list[str]) -> list[str]:
    return wanted or ["direct", TIDEGATE, LIMITED, *[n for n in peers.MAKERS if n != "direct"]]


@contextmanager
def rig_of_our_own() -> Iterator[Rig]:
    """A rig in a fresh work folder; one at a time on this machine."""
    install.CACHE.mkdir(parents=True, exist_ok=True)
    with (install.CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work = install.CACHE / "work"
        shutil.rmtree(work, ignore_errors=True)
        rig = Rig(work, install.build_tools())
        try:
            yield rig
        finally:
            rig.close()


@contextmanager
def running(rig: Rig, name: str) -> Iterator[Running]:
    extra = peers.extra_peers(rig.upstream_port)
    if name == TIDEGATE and name not in extra:
        with tidegate_peer.running(rig) as tidegate:
            yield tidegate
        return
    plans = {LIMITED: "limited", cache.NAME: "cached", wordings.NAME: "semantic"}
    if name in plans:
        plan = install.HERE / f"tidegate_{plans[name]}.yaml"
        with tidegate_peer.running(rig, plan, name) as planned:
            yield planned
        return
    peer = extra[name] if name in extra else peers.MAKERS[name](rig.upstream_port, rig.work)
    with rig.running(peer) as other:
        yield other


def check(wanted: list[str]) -> int:
    """Verify that each gateway answers rightly; -> how many do not."""
    wrong = 0
    with rig_of_our_own() as rig:
        for name in names_of(wanted):
            try:
                with running(rig, name) as gateway:
                    plain = rig.load(gateway, "-c", 1, "-N", 20)
                    streamed = rig.load(gateway, "-c", 4, "-N", 20, "-s")
            except NOT_RUN as error:
                print(f"{name}: {error}")
                wrong += 1
                continue
            said = plain["first_bad"] or streamed["first_bad"]
            wrong += bool(said)
            print(f"{name}: start {gateway.start_s:.2f} s, plain {plain['ok']}/20,", end=" ")
            print(f"streamed {streamed['ok']}/20 {said}", flush=True)
    return wrong


def run(wanted: list[str]) -> int:
    """Measure in interleaved rounds, each starting with another gateway; -> failed starts."""
    rounds = int(os.environ.get("BENCH_ROUNDS", "3"))
    names, failed = names_of(wanted), 0
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = RESULTS / "run.jsonl"
    with rig_of_our_own() as rig, kept.open("w") as out:
        print(json.dumps({"machine": machine.describe(), "rounds": rounds}), file=out)
        for number in range(rounds):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                row = measure_one(rig, name, number)
                failed += "missing" in row
                print(json.dumps(row), file=out, flush=True)
    return failed


def measure_one(rig: Rig, name: str, number: int) -> dict[str, Any]:
    start = time.monotonic()
    try:
        with running(rig, name) as gateway:
            row = steps.measure(rig, gateway)
    except NOT_RUN as error:
        print(f"round {number + 1} {name}: not run: {error}", flush=True)
        return {"name": name, "round": number, "missing": str(error)}
    requests, streams = row["requests"], row["streams"]
    us = 1e6 * requests["gateway_cpu_s"] / max(1, requests["ok"])
    chunk_us = 1e6 * streams["gateway_cpu_s"] / max(1, streams["chunks"])
    print(
        f"round {number + 1} {name}: {us:.0f} us/request, {chunk_us:.1f} us/chunk, "
        f"1 conn p50 {row['single']['lat_p50']:.2f} ms, TTFT p50 {streams['ttft_p50']:.2f} ms, "
        f"{steps.errors(row)} errors, {time.monotonic() - start:.0f} s",
        flush=True,
    )
    return {**row, "round": number}


def memory(size: tuple[int, int], streamed_share: float) -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    with rig_of_our_own() as rig, running(rig, TIDEGATE) as gateway:
        return flat_memory.run(rig, gateway, RESULTS / "memory.jsonl", size, streamed_share)


def kept_answers() -> int:
    cache.lookups()
    cached_vectors.vectors()
    with rig_of_our_own() as rig, running(rig, cache.NAME) as gateway:
        return cache.hits(rig, gateway)


def other_wordings() -> int:
    over = wordings.encoders() + wordings.prefilter()
    with rig_of_our_own() as rig, running(rig, wordings.NAME) as gateway:
        return over + wordings.run(rig, gateway)


def routes() -> int:
    with rig_of_our_own() as rig:
        return scale_routes.run(rig, RESULTS / "scale.jsonl")


def resilient(cases: list[str]) -> int:
    """All cases make the page anew; some only say what came of them."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = RESULTS / ("resilience_part.json" if cases else FAILING.name)
    with rig_of_our_own() as rig:
        failed = resilience.run(rig, kept, cases)
    return failed if cases else failed or write_failing()


def write_failing() -> int:
    FAILING_DOCUMENT.write_text(resilience_table.render(FAILING))
    print(f"wrote {FAILING_DOCUMENT}")
    return 0


def profiled(how: dict[str, Any]) -> int:
    with rig_of_our_own() as rig, running(rig, TIDEGATE) as gateway:
        return profile.run(rig, gateway, how)


def table() -> int:
    DOCUMENT.write_text(report.render(RESULTS))
    print(f"wrote {DOCUMENT}")
    return 0


def install_all() -> int:
    install.build_tools()
    for name, reason in install.install_all().items():
        print(f"{name} cannot be had: {reason}", flush=True)
    return 0


def everything() -> int:
    install_all()
    run([])
    return table()


def beside_loop() -> int:
    with rig_of_our_own() as rig:
        return loop_beside.run(rig)


def arguments() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("bench", description=__doc__, formatter_class=formatter)
    what = parser.add_subparsers(dest="what")
    for name in (
        "all",
        "install",
        "routes",
        "changes",
        "limits",
        "dialects",
        "validity",
        "loop-beside",
        "signals",
        "releases",
        "prompts",
        "evals",
        "gate",
        "redis",
        "cache",
        "cache_worth",
        "wordings",
        "vectors",
        "release_cost",
        "judge_drift",
        "ladder",
        "table",
        "resilience-table",
    ):
        what.add_parser(name)
    for name in ("check", "run"):
        what.add_parser(name).add_argument("names", nargs="*")
    what.add_parser("resilience").add_argument("cases", nargs="*", choices=[[], *BY_NAME])
    for name in ("request", "loop"):
        one = what.add_parser(name)
        one.add_argument("--beside", type=Path, help="another checkout, measured in turn with this")
    flat = what.add_parser("memory")
    flat.add_argument("--requests", type=int, default=1_000_000)
    flat.add_argument("--pieces", type=int, default=20)
    flat.add_argument("--streamed", type=float, default=0.1, help="share of the requests")
    releases = what.add_parser("release_stats")
    releases.add_argument("--runs", type=float, default=1.0, help="share of the releases")
    releases.add_argument("--only", default="", help="words of a case's name")
    profiling = what.add_parser("profile")
    profiling.add_argument("load", nargs="?", choices=("plain", "streams"), default="plain")
    profiling.add_argument("--seconds", type=int, default=8)
    profiling.add_argument("--top", type=int, default=25)
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    if sys.platform != "linux":
        print("the bench reads /proc and pins cores: it runs on Linux only", file=sys.stderr)
        return 2
    verbs: dict[str, Callable[[], int]] = {
        "all": everything,
        "install": install_all,
        "request": lambda: request.run(asked.beside),
        "routes": routes,
        "changes": changes.run,
        "limits": lambda: limits.run(RESULTS / "scale.jsonl"),
        "dialects": dialects.run,
        "ladder": ladder.run,
        "validity": validity.run,
        "loop": lambda: loop.run(asked.beside),
        "loop-beside": beside_loop,
        "signals": signals.run,
        "releases": releases.run,
        "prompts": prompts.run,
        "evals": evals.run,
        "gate": gate.run,
        "redis": lambda: shared_limits.run(RESULTS / "scale.jsonl"),
        "cache": kept_answers,
        "cache_worth": cache_worth.run,
        "wordings": other_wordings,
        "vectors": vectors.main,
        "table": table,
        "resilience-table": write_failing,
        "check": lambda: check(asked.names),
        "run": lambda: run(asked.names),
        "memory": lambda: memory((asked.requests, asked.pieces), asked.streamed),
        "resilience": lambda: resilient(asked.cases),
        "release_cost": release_cost.run,
        "judge_drift": judge_drift.run,
        "release_stats": lambda: release_stats.main(asked.runs, asked.only),
        "profile": lambda: profiled(vars(asked)),
    }
    return verbs[asked.what or "all"]()


if __name__ == "__main__":
    sys.exit(main())
