"""Tidegate, LiteLLM and the bare SDK while a provider fails; one JSON file of what came of it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import openai

from bench import install, machine, procs, resilience_load, resilience_peers
from bench.faults import CASES, PROMPT_TOKENS, TOKENS, Case
from bench.resilience_load import Asked
from bench.resilience_peers import Ports, System
from bench.rig import Rig, fetch

REQUESTS, RATE_PER_S = 80, 6.0


@contextmanager
def providers() -> Iterator[Ports]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.faulty_upstream"],
        cwd=install.HERE.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        with resilience_peers.dead_port() as dead:
            yield Ports(int(process.stdout.readline()), dead)
    finally:
        procs.stop(process)


def run(rig: Rig, kept: Path, wanted: list[str]) -> int:
    """Measure every case, with whoever can be had; -> how many cannot."""
    cases = [case for case in CASES if not wanted or case.name in wanted]
    rows: list[dict[str, Any]] = []
    busy = [os.getloadavg()[0]]
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        ports = stack.enter_context(providers())
        systems = [resilience_peers.bare_sdk(openai.__version__)]
        for name, make in resilience_peers.GATEWAYS.items():
            try:
                systems.append(stack.enter_context(make(rig, ports)))
            except (install.Unavailable, RuntimeError, OSError) as error:
                missing[name] = str(error)
        for system in systems:
            asyncio.run(resilience_load.load(system, CASES[0], ports, 20, RATE_PER_S))
        for number, case in enumerate(cases):
            shift = number % len(systems)
            for system in systems[shift:] + systems[:shift]:
                rows.append(measure(system, case, ports))
            busy.append(os.getloadavg()[0])
    versions = {system.name: system.version for system in systems}
    told = {"machine": machine.describe(), "busy": busy, "versions": versions, "rows": rows}
    kept.write_text(json.dumps(told, indent=1))
    for name, reason in missing.items():
        print(f"{name} not run: {reason}")
    return len(missing)


def measure(system: System, case: Case, ports: Ports) -> dict[str, Any]:
    """One case with one of the compared: its requests, and what the providers charge for them."""
    bill_of(case, ports)
    asked = asyncio.run(resilience_load.load(system, case, ports, REQUESTS, RATE_PER_S))
    row = row_of(system.name, case, asked, bill_of(case, ports))
    print(f"{case.name} {system.name}: {row['became']}, {row['bill']}", flush=True)
    return row


def bill_of(case: Case, ports: Ports) -> dict[str, int]:
    bill: dict[str, int] = json.loads(fetch(ports.upstream, "/_bill"))[case.name]
    return bill


def row_of(name: str, case: Case, asked: list[Asked], bill: dict[str, int]) -> dict[str, Any]:
    """`wasted` is what was charged beyond the answers that arrived whole, in tokens."""
    good = [one for one in asked if one.became == "good"]
    became = {word: sum(one.became == word for one in asked) for word in ("good", "told", "untold")}
    return {
        "case": case.name,
        "system": name,
        "requests": len(asked),
        "became": became,
        "stream_s": [round(one.took_s, 4) for one in good if one.stream],
        "whole_s": [round(one.took_s, 4) for one in good if not one.stream],
        "failed_s": [round(one.took_s, 4) for one in asked if one.became != "good"],
        "bill": bill,
        "wasted": {
            "input_tokens": bill["input_tokens"] - PROMPT_TOKENS * len(good),
            "output_tokens": bill["output_tokens"] - TOKENS * len(good),
        },
    }
