"""`tidegate import`: nothing without being asked to, and no secret where it does not belong."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal
from tests.config.litellm_rig import FOLDER

from tidegate.core.moved import KindMoved, MovedIn
from tidegate.stores import litellm_tables
from tidegate.stores.errors import StoreUnavailable

CONFIG = """\
model_list:
- model_name: chat
  litellm_params: {model: openai/gpt-4o-mini, api_key: sk-literal-secret}
general_settings: {master_key: sk-master-secret}
"""
PLAN = {
    "version": 1,
    "digest": "d",
    "compiled_at_s": 1.0,
    "file": "tidegate.yaml",
    "routes": ["chat"],
    "problems": [],
    "warnings": [],
    "read_at_s": 1.0,
    "failures_total": 0,
    "served": {},
}
KEY = {"token": "a" * 64, "key_alias": "app", "models": ["chat"], "spend": 1.5, "team_id": "t"}
URL = "postgresql://litellm:hidden@db/litellm"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch, control: FakeControl) -> list[str]:
    """A database that is read from here; the addresses that were asked for."""
    asked: list[str] = []

    def read(url: Any) -> dict[str, list[dict[str, Any]]]:
        asked.append(url.reveal())
        return {"keys": [KEY], "teams": [{"team_id": "t", "max_budget": 5.0}]}

    monkeypatch.setattr(litellm_tables, "plug", read)
    control.answers["GET /api/plan"] = PLAN
    kinds = [KindMoved("team", 1), KindMoved("budget", 1), KindMoved("key", 1)]
    control.answers["POST /api/imports"] = MovedIn(False, kinds, [], [], [])
    return asked


def test_without_out_nothing_is_written_and_what_is_left_is_told(
    run: Callable[..., Result], config: Path
) -> None:
    told = run("import", "litellm", str(config))
    assert "not carried  general_settings.master_key" in told.stdout
    assert "Nothing is written" in told.stdout
    assert list(config.parent.glob("*.yaml")) == [config]
    assert "secret" not in told.stdout.replace("1 secrets", "").replace("api_key", "")


def test_the_plan_and_its_secrets_are_written_apart_and_never_over(
    run: Callable[..., Result], config: Path
) -> None:
    out = config.parent / "new" / "tidegate.yaml"
    out.parent.mkdir()
    told = run("import", "litellm", str(config), "--out", str(out))
    assert told.exit_code == 0, told.output
    (secret,) = (out.parent / "secrets").iterdir()
    assert secret.read_text() == "sk-literal-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert f"file:secrets/{secret.name}" in out.read_text()
    assert "sk-" not in out.read_text()
    before = out.read_text()
    secret.unlink()
    again = run("import", "litellm", str(config), "--out", str(out))
    assert again.exit_code == 1 and "there already" in again.stderr
    assert out.read_text() == before and not secret.exists()


def test_of_a_database_is_told_what_an_import_would_come_to(
    run: Callable[..., Result], control: FakeControl, config: Path, tables: list[str]
) -> None:
    told = run("import", "litellm", str(config), "--db", URL, "--all")
    assert told.exit_code == 0, told.output
    assert tables == [URL]
    assert "Nothing is applied; apply it with --apply." in told.stdout
    assert "the same key, known by its SHA-256" in told.stdout
    assert "hidden" not in told.output
    sent: Any = control.bodies()[-1]
    assert sent["source"] == "litellm" and "apply" not in sent
    assert sent["keys"][0]["routes"] == ["chat"]
    assert sent["spends"][0]["nanousd"] == 1_500_000_000


def test_what_is_applied_is_said_with_what_is_gone(
    run: Callable[..., Result], control: FakeControl, config: Path, tables: list[str]
) -> None:
    gone = "ext-" + "b" * 24
    control.answers["POST /api/imports"] = MovedIn(True, [], [], [gone], ["gateway-1"])
    told = run("import", "litellm", str(config), "--db", URL, "--apply", "--keep-ours")
    assert "Applied." in told.stdout
    assert f"tidegate key revoke {gone}" in told.stdout
    assert "gateway-1" in told.stderr
    sent: Any = control.bodies()[-1]
    assert (sent["apply"], sent["keep_ours"]) == (True, True)


def test_what_stands_in_the_way_is_listed(
    run: Callable[..., Result], control: FakeControl, config: Path, tables: list[str]
) -> None:
    control.answers["POST /api/imports"] = MovedIn(False, [], ["key x: changed"], [], [])
    told = run("import", "litellm", str(config), "--db", URL)
    assert told.exit_code == 1
    assert "conflict: key x: changed" in told.stderr
    control.answers["POST /api/imports"] = refusal(
        409, "changed_on_both_sides", "Nothing was applied", problems=["key x: changed"]
    )
    told = run("import", "litellm", str(config), "--db", URL, "--apply")
    assert told.exit_code == 1 and "key x: changed" in told.stderr


@pytest.mark.parametrize("apply", [(), ("--apply",)], ids=["told", "applied"])
def test_a_plan_is_written_only_where_nothing_stands_in_the_way_of_its_keys(
    run: Callable[..., Result],
    control: FakeControl,
    config: Path,
    tables: list[str],
    apply: tuple[str, ...],
) -> None:
    out = config.parent / "tidegate.yaml"
    asked = ("import", "litellm", str(config), "--db", URL, "--out", str(out), *apply)
    control.answers["POST /api/imports"] = MovedIn(False, [], ["key x: changed"], [], [])
    assert run(*asked).exit_code == 1
    assert not out.exists() and not (out.parent / "secrets").exists()
    control.answers["POST /api/imports"] = MovedIn(bool(apply), [], [], [], [])
    assert run(*asked).exit_code == 0
    assert out.exists()
    before = len(control.asked)
    told = run(*asked)
    assert told.exit_code == 1 and "there already" in told.stderr
    assert len(control.asked) == before


def test_apply_belongs_to_a_database(run: Callable[..., Result], config: Path) -> None:
    assert run("import", "litellm", str(config), "--apply").exit_code == 2


def test_a_file_or_a_database_that_cannot_be_read_is_said(
    run: Callable[..., Result], control: FakeControl, config: Path, tmp_path: Path
) -> None:
    told = run("import", "litellm", str(tmp_path / "none.yaml"))
    assert told.exit_code == 1 and "cannot be read" in told.stderr
    control.answers["GET /api/plan"] = PLAN
    told = run("import", "litellm", str(config), "--db", "mysql://root:hidden@db/x")
    assert told.exit_code == 1 and "no address of a PostgreSQL" in told.stderr
    assert "hidden" not in told.output


def test_what_does_not_compile_is_said_and_fails(run: Callable[..., Result], config: Path) -> None:
    config.write_text("model_list: []\n")
    told = run("import", "litellm", str(config))
    assert told.exit_code == 1
    assert "error:" in told.stderr


def test_it_fails_too_where_keys_are_told_beside_it(
    run: Callable[..., Result], control: FakeControl, config: Path, tables: list[str]
) -> None:
    config.write_text("model_list: []\n")
    out = config.parent / "tidegate.yaml"
    before, asked = len(control.bodies()), len(tables)
    told = run("import", "litellm", str(config), "--db", URL, "--apply", "--out", str(out))
    assert told.exit_code == 1 and "Nothing is written or applied" in told.stderr
    assert not out.exists() and not (config.parent / "secrets").exists()
    assert (len(control.bodies()), len(tables)) == (before, asked)


def test_where_models_are_in_the_database_those_of_the_plan_in_force_are_meant(
    run: Callable[..., Result], control: FakeControl, config: Path, tables: list[str]
) -> None:
    config.write_text("general_settings: {store_model_in_db: true}\n")
    told = run("import", "litellm", str(config), "--db", URL)
    assert told.exit_code == 0, told.output
    assert control.bodies()[-1]["keys"][0]["routes"] == ["chat"]  # type: ignore[index]


def test_a_database_that_goes_away_in_the_middle_has_moved_nothing(
    run: Callable[..., Result],
    control: FakeControl,
    config: Path,
    tables: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def goes(_: object) -> None:
        raise StoreUnavailable("the server closed the connection")

    monkeypatch.setattr(litellm_tables, "plug", goes)
    told = run("import", "litellm", str(config), "--db", URL, "--apply")
    assert told.exit_code == 1 and "cannot be read" in told.stderr
    assert not any(control.bodies())


def test_more_budgets_than_a_plan_holds_are_told_how_and_left_as_asked(
    run: Callable[..., Result],
    control: FakeControl,
    config: Path,
    tables: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = [{"user_id": f"u{n}", "max_budget": 5.0, "spend": 1.0} for n in range(1100)]
    monkeypatch.setattr(litellm_tables, "plug", lambda _: {"keys": [KEY], "users": users})
    told = run("import", "litellm", str(config), "--db", URL, "--apply")
    assert told.exit_code == 1 and "--without-budgets-of users" in told.stderr
    assert not any(control.bodies())
    told = run("import", "litellm", str(config), "--db", URL, "--without-budgets-of", "users")
    assert told.exit_code == 0 and "budgets of users (1100)" in told.stdout
    sent: Any = control.bodies()[-1]
    assert "budgets" not in sent and len(sent["spends"]) == 1101


def test_what_is_not_set_here_is_told_and_refuses_nothing(
    run: Callable[..., Result], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_BASE", "AZURE_KEY", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    azure = "api_base: os.environ/AZURE_BASE, api_key: os.environ/AZURE_KEY, api_version: v1"
    config.write_text(
        "model_list:\n"
        f"- {{model_name: a, litellm_params: {{model: azure/gpt-4o, {azure}}}}}\n"
        "- {model_name: b, litellm_params: {model: bedrock/anthropic.claude-3-haiku}}\n"
    )
    told = run("import", "litellm", str(config))
    assert told.exit_code == 0, told.output
    assert "Set before it is served: AWS_REGION, AZURE_BASE, AZURE_KEY." in told.stdout


def test_all_lists_what_is_carried(run: Callable[..., Result]) -> None:
    few = run("import", "litellm", str(FOLDER / "everything.yaml")).stdout
    every = run("import", "litellm", str(FOLDER / "everything.yaml"), "--all").stdout
    assert "routes.NAME.balance" in every and "routes.NAME.balance" not in few


def test_a_portkey_config_is_one_route(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "portkey.json"
    file.write_text('{"provider":"openai","override_params":{"model":"gpt-4o-mini"}}')
    out = tmp_path / "tidegate.yaml"
    run("import", "portkey", str(file), "--route", "chat", "--out", str(out))
    assert "routes:\n  chat:" in out.read_text()
    file.write_text("{broken")
    assert run("import", "portkey", str(file)).exit_code == 1
