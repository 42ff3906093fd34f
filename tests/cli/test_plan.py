import msgspec
import pytest
from click.testing import CliRunner

from tidegate.cli.plan import plug
from tidegate.config.load import compile_file
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan

PLAN = """\
providers:
  engine: {kind: openai_compatible}
targets:
  llama:
    provider: engine
    model: llama-3
    replicas: ["http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"]
    price: {input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.2}
routes:
  chat: {target: llama}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tidegate.yaml").write_text(PLAN)
    return tmp_path


def run(*args):
    return CliRunner().invoke(plug, [str(a) for a in args])


def serve(folder, text=PLAN):
    """What control writes: the compiled plan in the state directory."""
    found = compile_file(text.encode(), {}, 3, 1.0)
    path = Layout(folder / ".tidegate").plan
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.msgpack.encode(found.plan))
    return path


def test_show_prints_a_table_with_each_replica_on_its_line(folder):
    lines = run("show").stdout.splitlines()
    assert lines[0].split()[:3] == ["ROUTE", "RELEASE", "TARGET"]
    assert lines[1].startswith("chat   ") and "engine/llama-3  0.10 / 0.20" in lines[1]
    assert lines[1].endswith("http://10.0.0.1:8000/v1")
    assert lines[2].split() == ["http://10.0.0.2:8000/v1"]
    assert lines[3].startswith("digest ")


def test_show_as_json_is_the_compiled_plan(folder):
    plan = msgspec.json.decode(run("show", "--json").stdout, type=Plan)
    assert plan.routes["chat"].release.target.model == "llama-3"


def test_a_plan_that_does_not_compile_exits_2_with_every_mistake(folder):
    (folder / "other.yaml").write_text("routs: {}\n")
    for args in (["show", "other.yaml"], ["explain", "x", "other.yaml"]):
        result = run(*args)
        assert result.exit_code == 2 and result.stdout == ""
        assert 'other.yaml:1:1: routs: unknown key; did you mean "routes"?' in result.stderr


def test_explain_says_where_each_value_comes_from(folder):
    result = run("explain", "chat")
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines()}
    assert rows["model"] == ["model", "llama-3", "tidegate.yaml:6"]
    assert rows["gap_s"] == ["gap_s", "30", "default"]


def test_explain_of_no_route_names_the_nearest(folder):
    result = run("explain", "chatt")
    assert result.exit_code == 2
    assert result.stderr == ('tidegate.yaml: there is no route "chatt"; did you mean "chat"?\n')


def test_diff_is_from_the_served_plan_to_the_file(folder):
    serve(folder)
    assert (run("diff").exit_code, run("diff").stdout) == (0, "")
    (folder / "tidegate.yaml").write_text(PLAN.replace("0.2", "0.3"))
    result = run("diff")
    assert result.exit_code == 1
    assert (
        "~ routes.chat.target.price.is: in 0.10, out 0.20 USD/Mtok -> in 0.10, out 0.30 USD/Mtok"
        in result.stdout
    )


def test_diff_of_two_plans_of_either_form(folder):
    served = serve(folder)
    (folder / "b.yaml").write_text(PLAN.replace("chat:", "talk:"))
    assert run("diff", served, "tidegate.yaml").exit_code == 0
    result = run("diff", "b.yaml", served)
    assert result.exit_code == 1
    assert [line[:13] for line in result.stdout.splitlines()] == ["+ routes.chat", "- routes.talk"]


def test_diff_with_another_state_directory(folder):
    serve(folder)
    assert run("diff", "--state", folder / ".tidegate").exit_code == 0
    assert run("diff", "--state", folder / "nowhere").exit_code == 2


def test_diff_without_a_served_plan_says_so(folder):
    result = run("diff")
    assert result.exit_code == 2
    assert "no plan is served from here yet" in result.stderr


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x80", b"[]"])
def test_a_damaged_served_plan_is_said_to_be_none(folder, data):
    serve(folder).write_bytes(data)
    result = run("diff")
    assert result.exit_code == 2 and "this is no compiled plan" in result.stderr


LIMITS = """\
limits:
  slow: {kind: requests, scope: [team, key], amount: 6k, per: minute, only: {route: chat}}
  other: {kind: concurrency, amount: 5, only: {model: llama-3}}
  elsewhere: {kind: concurrency, amount: 4, only: {route: talk}}
budgets:
  month: {amount: $5, per: month, only: {team: growth}}
"""


@pytest.fixture
def limited(folder):
    more = (
        "  talk: {target: {provider: engine, model: m, replicas: ['http://a/v1'], price: free}}\n"
    )
    (folder / "tidegate.yaml").write_text(PLAN + more + LIMITS)


def test_show_lists_the_limits_below_the_routes(limited):
    lines = run("show").stdout.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("LIMIT "))
    rows = [line.split() for line in lines[start + 1 : -1]]
    assert [row[:2] for row in rows] == [
        ["elsewhere", "concurrency"],
        ["month", "spend"],
        ["other", "concurrency"],
        ["slow", "requests"],
    ]
    assert rows[3][2:] == ["6000", "per", "1m", "key", "+", "team", "route", "chat", "refuse"]
    assert "LIMIT" not in run("show", "--json").stdout


def test_explain_tells_the_limits_that_can_hold_the_route(limited):
    told = run("explain", "chat").stdout.splitlines()
    assert [line.split()[:3] for line in told[-3:]] == [
        ["budget", "month", "spend"],
        ["limit", "other", "concurrency"],
        ["limit", "slow", "requests"],
    ]
    assert told[-1].endswith("tidegate.yaml:13")
    assert "limit elsewhere" in run("explain", "talk").stdout
