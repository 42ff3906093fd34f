"""Puts the peers into a cache folder outside the tree, at pinned versions, once.

Nothing here raises for a peer that cannot be had: `install_all` returns the reason, and the table
names it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("TIDEGATE_BENCH_CACHE", "~/.cache/tidegate-bench")).expanduser()
BIN = CACHE / "bin"

LITELLM = "1.106.2"
VLLM_ROUTER = "0.1.17"
PORTKEY = "1.15.2"
# With the @hono/node-server that npm resolves today every Portkey stream is a 500.
HONO_NODE_SERVER = "1.11.1"
PY_SPY = "0.4.3"


class Unavailable(Exception):
    """A peer or a tool cannot be had here; the text says why."""


def _run(command: list[str], cwd: Path | None = None) -> None:
    try:
        result = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{Path(command[0]).name}: {error}") from error
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        said = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise Unavailable(f"{Path(command[0]).name} failed: {said[-1].strip()[:200]}")


def _once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Build `folder` unless it is marked as whole; a half-built one is built anew."""
    if not (folder / ".done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        build(folder)
        (folder / ".done").touch()
    return folder


def _virtual_environment(name: str, version: str, requirement: str) -> Path:
    def build(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = str(folder / "bin" / "pip")
        _run([pip, "install", "-q", "--disable-pip-version-check", f"{requirement}=={version}"])

    return _once(CACHE / f"{name}-{version}", build)


def litellm() -> Path:
    return _virtual_environment("litellm", LITELLM, "litellm[proxy]")


def vllm_router() -> Path:
    return _virtual_environment("vllm-router", VLLM_ROUTER, "vllm-router")


def py_spy() -> Path:
    return _virtual_environment("py-spy", PY_SPY, "py-spy") / "bin" / "py-spy"


def portkey() -> Path:
    def build(folder: Path) -> None:
        wanted = {
            "private": True,
            "dependencies": {"@portkey-ai/gateway": PORTKEY},
            "overrides": {"@hono/node-server": HONO_NODE_SERVER},
        }
        (folder / "package.json").write_text(json.dumps(wanted))
        _run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder)

    if not shutil.which("node"):
        raise Unavailable("Node.js is not installed")
    return _once(CACHE / f"portkey-{PORTKEY}", build)


def nginx() -> Path:
    """Path of the program: the system's, or Debian's package unpacked into the cache."""

    def build(folder: Path) -> None:
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "download", "nginx"], cwd=folder)
        package = next(folder.glob("nginx_*.deb"))
        _run(["dpkg", "-x", str(package), str(folder)])

    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found:
        return Path(found)
    if not shutil.which("apt-get"):
        raise Unavailable("nginx is not installed and this is no Debian")
    return _once(CACHE / "nginx-debian", build) / "usr" / "sbin" / "nginx"


def build_tools(into: Path = BIN) -> Path:
    """Compile the mock upstream and the load generator where the sources are newer."""
    if not shutil.which("gcc"):
        raise Unavailable("gcc is needed to build bench/mock_upstream.c and bench/loadgen.c")
    into.mkdir(parents=True, exist_ok=True)
    newest_header = max((p.stat().st_mtime for p in HERE.glob("*.h")), default=0.0)
    for name in ("mock_upstream", "loadgen"):
        source, program = HERE / f"{name}.c", into / name
        newest = max(source.stat().st_mtime, newest_header)
        if not program.exists() or program.stat().st_mtime < newest:
            flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
            _run(["gcc", *flags, "-o", str(program), str(source)])
    return into


PEERS: dict[str, Callable[[], Path]] = {
    "nginx": nginx,
    "vllm-router": vllm_router,
    "portkey": portkey,
    "litellm": litellm,
}


def install_all() -> dict[str, str]:
    """Install every peer; -> the reason for each that cannot be had."""
    reasons = {}
    for name, install in PEERS.items():
        try:
            install()
        except Unavailable as error:
            reasons[name] = str(error)
    return reasons
