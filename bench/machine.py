"""What the figures were taken on: machine, systems, versions, commit."""

import os
import platform
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _said(command: list[str]) -> str:
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return result.stdout.strip() or "unknown"


def _first(path: str, start: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "unknown"
    for line in lines:
        if line.startswith(start):
            return line.partition("=" if "=" in line else ":")[2].strip().strip('"')
    return "unknown"


def commit() -> str:
    changed = _said(["git", "status", "--porcelain", "--", "src"])
    return _said(["git", "rev-parse", "--short", "HEAD"]) + (
        "" if changed == "unknown" else " with uncommitted changes"
    )


def describe() -> dict[str, str]:
    memory_kb = _first("/proc/meminfo", "MemTotal").split()[0]
    memory_gib = f"{int(memory_kb) / 2**20:.0f} GiB" if memory_kb.isdigit() else "unknown"
    return {
        "machine": f"{os.cpu_count()} cores, {_first('/proc/cpuinfo', 'model name')}, {memory_gib}",
        "system": f"{_first('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release()}",
        "python": platform.python_version(),
        "node": _said(["node", "--version"]),
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
