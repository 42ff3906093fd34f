"""Fixtures every room may use. Kept small: what one room needs alone lives in its own folder."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pytest_timeout import Settings
from sqlalchemy import Engine
from tests.postgres import Server, serving
from tests.postgres_copies import Copies
from tests.watchdog import Watchdog

from tidegate.core.secret import Secret
from tidegate.stores import migrate, postgres_engine

REPOSITORY = Path(__file__).resolve().parent.parent
WATCHDOG = pytest.StashKey[Watchdog]()
MEMORY = Path("/dev/shm")  # noqa: S108
MEMORY_BYTES = 2 << 30  # several times what a run has at once

# Two shared cores: a slow example says nothing about the code, so examples carry no deadline and
# drawing them may take as long as it does.
PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("tests", max_examples=100, **PATIENT)
# What lands is judged by the same examples as the run before it; others are tried by everybody's
# `make test`, and many by `make soak`.
hypothesis.settings.register_profile("ci", max_examples=100, derandomize=True, **PATIENT)
hypothesis.settings.register_profile("soak", max_examples=5_000, **PATIENT)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "tests")
hypothesis.settings.load_profile(PROFILE)


gc.disable()  # of what is collected nothing is garbage


def pytest_configure(config: pytest.Config) -> None:
    """Bytecode is kept whatever the environment says: compiling Tidegate costs each of the hundreds
    of processes that tests start more than all else that it does.

    Files are written to memory where there is enough: a disk takes 4 ms for an `fsync`, and there
    are tens of thousands. No test lets the machine itself fail; `make soak` stays on the disk.

    Of two workers the second reads the rooms from the last to the first, so that in a fresh
    checkout each compiles half of the tests and finds the other half done.
    """
    config.stash[WATCHDOG] = Watchdog()
    is_free = MEMORY.is_mount() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    if is_free and PROFILE != "soak" and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw1" and config.args == ["tests"]:
        found = (REPOSITORY / "tests").iterdir()
        names = [path.name for path in found if path.is_dir() or path.match("test_*.py")]
        config.args = [f"tests/{name}" for name in sorted(names, reverse=True)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """The same for every worker before they are put into a random order. Afterwards files of `e2e`
    stand far apart and none at the end, so that what starts many processes and waits for them runs
    beside what computes, and no worker is left alone with the longest."""
    items.sort(key=lambda item: item.path)
    yield
    if PROFILE == "soak":
        _search(items)
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    far_apart = [tests for path, tests in files.items() if path.parent.name == "e2e"]
    order = [tests for path, tests in files.items() if path.parent.name != "e2e"]
    apart = max(len(order) * 3 // 4 // max(len(far_apart), 1), 1)
    for number, tests in enumerate(far_apart):
        order.insert(number * (apart + 1), tests)
    items[:] = [item for tests in order for item in tests]


def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> bool:
    """In place of pytest-timeout's own."""
    item.config.stash[WATCHDOG].watch(item, settings)
    return True


def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    item.config.stash[WATCHDOG].rest()
    return True


def _search(items: list[pytest.Item]) -> None:
    """Properties that `make test` holds too are tried with fifty times their examples: those that
    name no number by the profile, those that do here."""
    held = (item for item in items if item.get_closest_marker("hypothesis"))
    tests = {getattr(item, "obj", None) for item in held if not item.get_closest_marker("soak")}
    for test in tests:
        if hasattr(test, "_hypothesis_internal_settings_applied"):
            asked = test._hypothesis_internal_use_settings
            if asked.max_examples != hypothesis.settings.default.max_examples:
                more = hypothesis.settings(asked, max_examples=50 * asked.max_examples)
                test._hypothesis_internal_use_settings = more


def pytest_collection_finish() -> None:
    """What was collected stays to the end. Whoever collects garbage need not look at it again and
    again: there are a million objects of it."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> None:
    """No proxy, key or setting of the machine's own reaches a test or a process it starts."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("TIDEGATE_", "OPENAI_", "PG")):
            del os.environ[name]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for all who ask; each takes a database of its own and leaves it running."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    """The name of a migrated database, to be copied."""
    url = postgres.database()
    engine = postgres_engine.open_engine(url)
    migrate.migrate(engine)
    engine.dispose()
    return url.reveal().rpartition("/")[2]


@pytest.fixture(scope="session")
def copies(postgres: Server, migrated_postgres: str) -> Copies:
    return Copies(postgres, migrated_postgres)


@pytest.fixture
def shared(copies: Copies) -> Iterator[Secret]:
    """The address of a migrated database in PostgreSQL, of which nobody else has anything."""
    url = copies.lend()
    yield url
    copies.take_back(url)


@pytest.fixture
def shared_engine(shared: Secret) -> Iterator[Engine]:
    engine = postgres_engine.open_engine(shared)
    yield engine
    engine.dispose()
