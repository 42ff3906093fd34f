"""A LiteLLM proxy with PostgreSQL, furnished over its own API, and what of it is recorded.

Run as a program it writes `litellm.sql`: `python -m tests.e2e.litellm_house`, with the proxy's
environment at `LITELLM_VENV` or where `bench` puts it. All of LiteLLM is real but the client that
Prisma generates, see `prisma_stand_in`.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from tests.postgres import free_port, serving

from bench import install
from tidegate.core.periods import period_at
from tidegate.core.secret import Secret
from tidegate.stores.litellm_tables import TABLES

HERE = Path(__file__).parent
RECORDED = HERE / "litellm.sql"
MASTER = "sk-litellm-master-0000"
KEYS, TEAMS, USERS = 200, 20, 40
_START_S = 120.0
# What a token costs both there and here.
CONFIG = """\
model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o-mini
      api_base: {upstream}/v1
      api_key: os.environ/UPSTREAM_KEY
      input_cost_per_token: 0.00001
      output_cost_per_token: 0.00003
  - model_name: large
    litellm_params:
      model: openai/gpt-4o
      api_base: {upstream}/v1
      api_key: os.environ/UPSTREAM_KEY
      input_cost_per_token: 0.0001
      output_cost_per_token: 0.0003
    model_info: {{access_groups: [everything-large]}}
router_settings: {{num_retries: 1, timeout: 60}}
litellm_settings: {{telemetry: false}}
general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY, proxy_batch_write_at: 1}}
"""


def key_of(number: int) -> str:
    """The key with this number; LiteLLM takes a key that is chosen."""
    return f"sk-recorded-{number:03d}-{number * 7919:08x}"


def environment() -> Path:
    """The virtual environment of `litellm[proxy]`, at the version that `bench` is pinned to."""
    given = os.environ.get("LITELLM_VENV")
    return Path(given) if given else install.litellm()


class Litellm:
    """One proxy, running on a database of LiteLLM's own schema."""

    def __init__(self, database: Secret, upstream: str, folder: Path) -> None:
        self._python = environment() / "bin" / "python"
        self._folder = folder
        self.database = database
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG.format(upstream=upstream))
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def migrate(self) -> int:
        """Every migration that LiteLLM ships, in order; how many."""
        code = "import litellm_proxy_extras as it; print(it.__path__[0])"
        told = subprocess.run(
            [self._python, "-c", code], check=True, capture_output=True, text=True
        )
        folder = Path(told.stdout.splitlines()[-1]) / "migrations"
        files = sorted(folder.glob("*/migration.sql"))
        with psycopg.connect(self.database.reveal(), autocommit=True) as connection:
            for file in files:
                connection.execute(file.read_text())  # type: ignore[arg-type]
        return len(files)

    def start(self) -> None:
        stand_in = self._folder / "path" / "prisma"
        stand_in.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "prisma_stand_in.py", stand_in / "__init__.py")
        environ = {
            **os.environ,
            "PYTHONPATH": str(stand_in.parent),
            "DATABASE_URL": self.database.reveal(),
            "LITELLM_MASTER_KEY": MASTER,
            "UPSTREAM_KEY": "none",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
            "DISABLE_SCHEMA_UPDATE": "true",
        }
        program = self._python.with_name("litellm")
        options = ("--config", self.config, "--host", "127.0.0.1", "--port", str(self._port))
        with (self._folder / "litellm.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, program, *options],
                *(-1, None, subprocess.DEVNULL, log, log),
                env=environ,
                cwd=self._folder,
            )
        deadline_s = time.monotonic() + _START_S
        while not self._answers():
            said = (self._folder / "litellm.log").read_text()[-2000:]
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline_s, said
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def ask(self, path: str, body: dict[str, Any] | None = None, key: str = MASTER) -> Any:
        """Its answer; AssertionError with what it says for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read()[:500]!r}") from error

    def spent(self) -> float:
        """The sum of what its keys have spent, as its database has it."""
        query = sql.SQL("SELECT coalesce(sum(spend), 0) FROM {}").format(
            sql.Identifier(TABLES["keys"])
        )
        with psycopg.connect(self.database.reveal()) as connection:
            (found,) = connection.execute(query).fetchone() or (0,)
            return float(found)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("/health/liveliness"))
        except (OSError, AssertionError):
            return False


def furnish(house: Litellm) -> None:
    """Twenty teams, forty users, two hundred keys, budgets of every kind."""
    for number in range(USERS):
        user = {"user_id": f"user-{number}@example.com", "auto_create_key": False}
        house.ask("/user/new", {**user, "max_budget": 50, "budget_duration": "30d"})
    teams = [_team(house, number) for number in range(TEAMS)]
    for number in range(4):
        house.ask(
            "/customer/new",
            {"user_id": f"end-{number}", "max_budget": 25, "budget_duration": "7d"},
        )
    durations = ("1d", "7d", "30d", None, "1mo")
    for number in range(KEYS):
        asked: dict[str, Any] = {
            "key": key_of(number),
            "key_alias": f"app-{number}",
            "max_budget": 5 + number / 8,
            "budget_duration": durations[number % 5],
            "metadata": {"tier": "gold" if number % 2 else "silver"},
            "models": [[], ["chat"], ["chat", "everything-large"]][number % 3],
        }
        if number % 4:
            asked["team_id"] = teams[number % TEAMS]
        if number % 3 == 0:
            asked["user_id"] = f"user-{number % USERS}@example.com"
        if number % 10 == 0:
            asked |= {"rpm_limit": 600, "tpm_limit": 1_000_000, "max_parallel_requests": 8}
        if number % 50 == 49:
            asked["duration"] = "90d"
        if number % 25 == 0:
            asked["soft_budget"] = 4.5
        house.ask("/key/generate", asked)
    house.ask("/key/block", {"key": key_of(7)})


def _team(house: Litellm, number: int) -> str:
    made = house.ask(
        "/team/new",
        {
            "team_alias": f"Team {number}",
            "max_budget": 100 + number,
            "budget_duration": ("30d", "7d", None)[number % 3],
            "rpm_limit": 6000,
            "models": [[], ["chat", "large"]][number % 2],
        },
    )
    team: str = made["team_id"]
    member = {"role": "user", "user_id": f"user-{number}@example.com"}
    asked = {"team_id": team, "member": member, "max_budget_in_team": 3}
    house.ask("/team/member_add", asked)
    return team


def use(house: Litellm, seed: int = 1) -> int:
    """Every key that may is used; how many requests were served. Waits until all is written."""
    draw = random.Random(seed)
    served = 0
    for number in range(KEYS):
        if number == 7:
            continue
        for _ in range(draw.randint(1, 2)):
            words = " ".join(draw.choices(("tide", "gate", "river", "sea"), k=draw.randint(1, 40)))
            body: dict[str, Any] = {
                "model": "chat",
                "messages": [{"role": "user", "content": words}],
                "max_tokens": draw.randint(1, 60),
            }
            if number % 5 == 0:
                body["user"] = f"end-{number % 4}"
            house.ask("/v1/chat/completions", body, key_of(number))
            served += 1
    before = -1.0
    while before != (now := house.spent()):
        before = now
        time.sleep(6)
    return served


def dump(database: Secret) -> str:
    """The tables that are read, as SQL."""
    tables = [part for name in TABLES.values() for part in ("-t", f'public."{name}"')]
    options = ("--no-owner", "--no-privileges", "--inserts", "--schema=public")
    url = database.reveal()
    told = subprocess.run(
        ["pg_dump", *options, *tables, url], check=True, capture_output=True, text=True
    )
    lines = [it for it in told.stdout.splitlines() if not it.startswith(("--", "\\", "SET "))]
    kept = "\n".join(it for it in lines if it.strip())
    parts = [it for it in kept.split(";\n") if "FOREIGN KEY" not in it and "set_config" not in it]
    return ";\n".join(parts) + "\n"


def load(database: Secret, text: str, now_s: float) -> None:
    """A database as recorded, whose budgets are in the period of now."""
    with psycopg.connect(database.reveal(), autocommit=True) as connection:
        connection.execute(text)  # type: ignore[arg-type]
        for table in ("keys", "teams", "users", "budgets"):
            for duration, unit in (
                ("1d", "day"),
                ("7d", "week"),
                ("30d", "month"),
                ("1mo", "month"),
            ):
                end_s = period_at(unit, "UTC", now_s).end_s  # type: ignore[arg-type]
                at = datetime.fromtimestamp(end_s, UTC).replace(tzinfo=None)
                change = sql.SQL(
                    "UPDATE {} SET budget_reset_at = %s WHERE budget_duration = %s"
                ).format(sql.Identifier(TABLES[table]))
                connection.execute(change, (at, duration))
        change = sql.SQL("UPDATE {} SET expires = %s WHERE expires IS NOT NULL")
        later = datetime.fromtimestamp(now_s + 86_400, UTC).replace(tzinfo=None)
        connection.execute(change.format(sql.Identifier(TABLES["keys"])), (later,))


@contextmanager
def upstream() -> Iterator[str]:
    """The address of a simulated engine that answers at once."""
    port = free_port()
    options = ("--port", str(port), "--profile", "instant", "--model", "gpt-4o-mini")
    process = subprocess.Popen(
        [sys.executable, "-m", "tidegate.boot", "sim", "serve", *options, "--model", "gpt-4o"],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def lived_in(folder: Path) -> Iterator[Litellm]:
    """A proxy that was furnished and used, on a server of its own."""
    with serving() as server, upstream() as address:
        house = Litellm(server.database(), address, folder)
        house.migrate()
        house.start()
        try:
            furnish(house)
            use(house)
            yield house
        finally:
            house.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, lived_in(Path(made)) as lived:
        RECORDED.write_text(dump(lived.database))
        print(f"{RECORDED}: spent {lived.spent()}")
