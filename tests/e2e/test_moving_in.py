"""Moving in from LiteLLM: the same client with the same key goes on, and what was spent counts.

`make test` moves in from a recorded database of a LiteLLM proxy; `make soak` from a proxy that is
running, which goes on being used between a first import and a second one.
"""

import hashlib
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import openai
import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from psycopg.rows import dict_row
from tests.e2e import litellm_house
from tests.e2e.litellm_house import KEYS, RECORDED, key_of
from tests.e2e.rig import House
from tests.postgres import Server, serving

from tidegate.cli import commands
from tidegate.control.shapes_budgets import BudgetExplained
from tidegate.core import clock
from tidegate.core.key import id_of
from tidegate.core.secret import Secret
from tidegate.core.units import usd_to_nanousd
from tidegate.stores.litellm_tables import TABLES

pytestmark = pytest.mark.postgres

BLOCKED = 7
# What a request costs here: by the prices that the config says, exactly.
PRICES = (Decimal("0.00001"), Decimal("0.00003"))
# To load every authority that this system trusts takes a tenth of a second each time.
CONTROL = httpx2.Client(verify=False)
CLIENT = openai.OpenAI(
    api_key="none", max_retries=0, http_client=openai.DefaultHttpxClient(verify=False)
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with litellm_house.upstream() as found:
        yield found


def recorded(server: Server) -> Secret:
    database = server.database()
    litellm_house.load(database, RECORDED.read_text(), clock.wall_s())
    return database


def moved_house(folder: Path, upstream: str) -> House:
    """A Tidegate with the plan that LiteLLM's config comes to."""
    config = folder / "config.yaml"
    config.write_text(litellm_house.CONFIG.format(upstream=upstream))
    plan = folder / "written" / "tidegate.yaml"
    plan.parent.mkdir()
    environ = {"UPSTREAM_KEY": "none"}
    tidegate("import", "litellm", str(config), "--out", str(plan), environ=environ)
    return House(folder, plan.read_text())


def tidegate(*arguments: str, environ: dict[str, str]) -> str:
    """What the command says."""
    done = CliRunner().invoke(commands(), arguments, env=environ)
    assert done.exit_code == 0, done.output
    return done.output


def move_in(house: House, database: Secret, *options: str) -> str:
    """What `tidegate import litellm` says."""
    environ = {"LITELLM_DATABASE_URL": database.reveal(), "UPSTREAM_KEY": "none"}
    state = ("--state", str(house.layout.state))
    config = str(house.folder / "config.yaml")
    return tidegate("import", "litellm", config, *state, *options, environ=environ)


def rows(database: Secret, table: str) -> list[dict[str, Any]]:
    with psycopg.connect(database.reveal(), row_factory=dict_row) as connection:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(TABLES[table]))
        return connection.execute(query).fetchall()


def nanousd(dollars: float) -> int:
    return usd_to_nanousd(Decimal(repr(dollars)))


def told(house: House, path: str) -> Any:
    """What control answers, with money exactly."""
    url = (house.layout.run / "control.url").read_text().strip()
    token = house.layout.operator_token.read_text().strip()
    answer = CONTROL.get(url + path, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    shape = BudgetExplained if path.startswith("/api/budgets/") else Any
    return msgspec.json.decode(answer.content, type=shape)


def used(house: House, budget: str) -> int:
    explained: BudgetExplained = told(house, f"/api/budgets/{budget}")
    return usd_to_nanousd(Decimal(explained.budget.highest[0].used_usd))


def assert_spend_is_equal(house: House, database: Secret) -> int:
    """Of each key, team, user, member and customer, to the nano-dollar; how many were compared."""
    keys = {it["token"]: it for it in rows(database, "keys")}
    compared = 0
    listed = told(house, "/api/budgets?keys=1000")["budgets"]
    shown = {
        it["name"]: usd_to_nanousd(Decimal(it["highest"][0]["used_usd"])) if it["highest"] else 0
        for it in listed
    }
    allowed = {it["name"]: usd_to_nanousd(Decimal(it["amount_usd"])) for it in listed}
    for token, row in keys.items():
        name = f"key:ext-{token[:24]}"
        if row["blocked"] or row["max_budget"] is None:
            continue
        assert shown[name] == nanousd(row["spend"]), row["key_alias"]
        assert allowed[name] == nanousd(row["max_budget"]), row["key_alias"]
        compared += 1
    for row in rows(database, "teams"):
        assert shown[f"team.{row['team_id']}"] == nanousd(row["spend"])
        assert allowed[f"team.{row['team_id']}"] == nanousd(row["max_budget"])
        compared += 1
    of = {it["highest"][0]["scope"]: it["name"] for it in listed if it["highest"]}
    for row in rows(database, "users"):
        if row["max_budget"] is not None and row["spend"]:
            name = of[f"customer {row['user_id']}, team personal"]
            assert shown[name] == nanousd(row["spend"])
            assert allowed[name] == nanousd(row["max_budget"])
            compared += 1
    for row in rows(database, "members"):
        if row["spend"] and row["user_id"] != "default_user_id":
            name = of[f"customer {row['user_id']}, team {row['team_id']}"]
            assert shown[name] == nanousd(row["spend"])
            compared += 1
    for row in rows(database, "end_users"):
        assert shown[f"customer.{row['user_id']}"] == nanousd(row["spend"])
        compared += 1
    return compared


def chat(house: House, key: str, **given: Any) -> tuple[int, str]:
    """One request of the same client with the same key; what it costs, and its receipt's id."""
    client = CLIENT.with_options(base_url=f"{house.url}/v1", api_key=key)
    answer = client.chat.completions.with_raw_response.create(
        **{"model": "chat", **given},
        messages=[{"role": "user", "content": "high or low?"}],
        max_tokens=9,
    )
    usage = answer.parse().usage
    assert usage is not None
    cost = PRICES[0] * usage.prompt_tokens + PRICES[1] * usage.completion_tokens
    return usd_to_nanousd(cost), answer.headers["x-request-id"]


def until(holds: Any) -> None:
    deadline_s = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def assert_goes_on(house: House, numbers: range) -> None:
    """Each of these keys asks, and what it costs is added to what it had spent."""
    for number in numbers:
        key = key_of(number)
        name = f"key:{id_of(key.encode())}"
        before = used(house, name)
        cost, _ = chat(house, key)
        until(lambda name=name, after=before + cost: used(house, name) == after)


def test_the_same_client_with_the_same_key_goes_on_with_its_spend(
    tmp_path: Path, server: Server, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "none")
    database = recorded(server)
    with moved_house(tmp_path, upstream) as house:
        said = move_in(house, database)
        assert "Nothing is applied" in said
        with pytest.raises(openai.AuthenticationError):
            chat(house, key_of(0))
        assert "Applied." in move_in(house, database, "--apply")
        assert assert_spend_is_equal(house, database) >= KEYS - 1 + litellm_house.TEAMS
        assert_goes_on(house, range(0, 60, 12))
        with pytest.raises(openai.AuthenticationError, match="revoked"):
            chat(house, key_of(BLOCKED))
        with pytest.raises(openai.AuthenticationError, match="not known"):
            chat(house, key_of(0) + "x")
        with pytest.raises(openai.PermissionDeniedError):
            chat(house, key_of(1), model="large")
        chat(house, key_of(13))
        spend_all_of(database, 12, 13)
        assert "Applied." in move_in(house, database, "--apply")
        with pytest.raises(openai.RateLimitError, match="key:budget"):
            chat(house, key_of(12))
        with pytest.raises(openai.RateLimitError, match=r"team\."):
            chat(house, key_of(13))
        chat(house, key_of(24))


def spend_all_of(database: Secret, of_key: int, of_team: int) -> None:
    """LiteLLM goes on meanwhile, until a key has spent its budget, and the team of another its."""
    token, other = (hashlib.sha256(key_of(it).encode()).hexdigest() for it in (of_key, of_team))
    keys, teams = sql.Identifier(TABLES["keys"]), sql.Identifier(TABLES["teams"])
    spend = sql.SQL("UPDATE {} SET spend = max_budget WHERE {}")
    whose = sql.SQL("team_id = (SELECT team_id FROM {} WHERE token = %s)").format(keys)
    with psycopg.connect(database.reveal(), autocommit=True) as connection:
        connection.execute(spend.format(keys, sql.SQL("token = %s")), (token,))
        connection.execute(spend.format(teams, whose), (other,))


@pytest.mark.soak
def test_a_running_proxy_is_moved_in_and_what_it_spends_meanwhile_is_reconciled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "none")
    proxy = tmp_path / "proxy"
    proxy.mkdir()
    with litellm_house.lived_in(proxy) as lived:
        with openai.OpenAI(base_url=f"{lived.url}/v1", api_key=key_of(0)) as client:
            client.models.list()
        with litellm_house.upstream() as address, moved_house(tmp_path, address) as house:
            move_in(house, lived.database, "--apply")
            assert assert_spend_is_equal(house, lived.database) >= KEYS - 1
            litellm_house.use(lived, seed=2)
            said = move_in(house, lived.database, "--apply")
            assert "Applied." in said
            assert assert_spend_is_equal(house, lived.database) >= KEYS - 1
            assert_goes_on(house, range(0, KEYS, 10))
