"""Where to listen: from the plan, or as it was when the plan was last good."""

from pathlib import Path

from msgspec import structs

from tidegate.boot.setting import Setting, of_plan, remembered
from tidegate.config.load import load
from tidegate.core.address import Listen
from tidegate.core.layout import Layout

PLAN = b"""
providers: {mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
routes: {chat: mine/small}
storage: {dir: data}
gateway: {listen: "0.0.0.0:80", processes: 3, tls: {cert_file: a.pem, key_file: /k.pem}}
control: {listen: "[::1]:81"}
"""


def test_the_plan_says_where_and_how_many() -> None:
    declared = load(PLAN, {}).declared
    assert declared is not None
    setting = of_plan(declared, Path("/etc/tidegate/tidegate.yaml"))
    assert setting.listen == Listen("0.0.0.0", 80)
    assert setting.control_listen == Listen("::1", 81)
    assert setting.gateways == 3
    assert setting.state.is_absolute()
    assert setting.state.name == "data"
    arguments = setting.tls_arguments()
    assert arguments[::2] == ("--tls-cert", "--tls-key")
    assert arguments[3] == "/k.pem"


def test_any_llm_is_started_where_the_plan_asks_it_on_this_machine() -> None:
    providers = b"""
providers:
  any_llm: {api_key: none}
  lab: {kind: any_llm, base_url: "http://127.0.0.1:5011/v1", api_key: none}
  twin: {kind: any_llm, base_url: "http://127.0.0.1:5011/v1", api_key: none}
  far: {kind: any_llm, base_url: "http://10.0.0.1:5011/v1", api_key: none}
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
"""
    declared = load(PLAN.replace(PLAN.splitlines()[1], providers), {}).declared
    assert declared is not None
    setting = of_plan(declared, Path("/etc/tidegate.yaml"))
    assert setting.any_llm == (Listen("127.0.0.1", 4011), Listen("127.0.0.1", 5011))
    declared = load(PLAN, {}).declared
    assert declared is not None
    assert of_plan(declared, Path("/etc/tidegate.yaml")).any_llm == ()


def test_without_a_plan_it_is_one_gateway_on_loopback() -> None:
    setting = Setting(state=Path("/s"))
    assert (setting.gateways, setting.tls_arguments()) == (1, ())
    assert setting.listen == Listen("127.0.0.1", 4000)


def test_it_is_remembered_only_beside_a_plan_that_can_be_served(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    setting = Setting(tmp_path, Listen("127.0.0.1", 5), gateways=2, tls=("a", "b"))
    setting = structs.replace(setting, any_llm=(Listen("127.0.0.1", 4011),))
    assert remembered(layout) is None
    setting.remember(layout)
    assert remembered(layout) is None
    layout.plan.touch()
    assert remembered(layout) == setting
    (layout.run / "setting.json").write_text("{")
    assert remembered(layout) is None


def test_a_shared_database_is_remembered_without_its_password(tmp_path: Path) -> None:
    text = b"storage: {database: 'postgresql://ann:${PASSWORD}@db/tidegate'}"
    declared = load(PLAN.replace(b"storage: {dir: data}", text), {"PASSWORD": "hush"}).declared
    assert declared is not None
    setting = of_plan(declared, tmp_path / "tidegate.yaml")
    layout = Layout(tmp_path)
    layout.run.mkdir()
    layout.plan.touch()
    setting.remember(layout)
    found = remembered(layout)
    assert found == setting
    assert str(found.database) == "postgresql://ann:${PASSWORD}@db/tidegate"
    assert b"hush" not in (layout.run / "setting.json").read_bytes()
