"""Import every module of a package in a fresh interpreter and report what that did."""

import subprocess
import sys
from pathlib import Path

_WATCH = """
import importlib, os, pkgutil, sys

package, *leave_out = sys.argv[1:]
seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LOUD = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.mkdir",
        "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.putenv", "shutil.", "sqlite3.",
        "signal.", "ftplib.", "smtplib.", "urllib.")

def watch(name, arguments):
    if name == "open":
        _, mode, flags = arguments
        if (isinstance(flags, int) and flags & WRITES) or set(mode or "") & set("wax+"):
            seen.append(f"{current}: writes {arguments[0]}")
    elif name == "os.putenv" and arguments[0] == b"OPENBLAS_MAIN_FREE":
        pass  # numpy, for as long as it is being imported
    elif name.startswith(LOUD) and name != "socket.gethostname":
        seen.append(f"{current}: {name} {arguments}")

def modules(package):
    yield package.__name__
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        inside = found.name.removeprefix(package.__name__ + ".")
        if not found.name.endswith("__main__") and not inside.startswith(tuple(leave_out)):
            yield found.name

current = package
sys.addaudithook(watch)
for current in modules(importlib.import_module(package)):
    try:
        importlib.import_module(current)
    except ModuleNotFoundError as error:
        if error.name not in ("any_llm", "xllamacpp"):
            raise
print("\\n".join(seen), end="")
"""


def quiet_imports(
    package: str, *, leave_out: tuple[str, ...] = (), folder: Path | None = None
) -> list[str]:
    """Sockets, processes, signals and writes that importing the modules of `package` caused.

    `leave_out` names modules below it that a tool runs rather than imports; `folder` holds the
    package where it is not installed.
    """
    ended = subprocess.run(
        [sys.executable, "-B", "-W", "ignore", "-c", _WATCH, package, *leave_out],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
