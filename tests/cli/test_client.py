"""How a command finds control, and the one line when it cannot."""

from collections.abc import Callable
from pathlib import Path

import click
import httpx2
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

from tidegate.cli._client import Control, gateway_url, read_error_code, state_layout
from tidegate.control.shapes import PlanView

PLAN = """\
providers: {mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
routes: {chat: mine/small}
storage: {dir: data}
"""


def failure(control: Control) -> str:
    with control, pytest.raises(click.ClickException) as failed:
        control.get("/api/plan", PlanView)
    return str(failed.value.message)


def test_the_token_of_the_state_directory_is_sent(control: FakeControl) -> None:
    failure(Control(control.layout.state))
    token = control.layout.operator_token.read_text().strip()
    assert control.asked[0].headers["authorization"] == f"Bearer {token}"
    assert str(control.asked[0].url) == "http://127.0.0.1:4999/api/plan"


def test_another_machine_s_control_and_token(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDEGATE_OPERATOR_TOKEN", "another")
    failure(Control(tmp_path / "none", "https://far.example"))
    assert control.asked[0].headers["authorization"] == "Bearer another"
    assert control.asked[0].url.host == "far.example"


def test_a_state_directory_without_a_token_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="start Tidegate with `tidegate up`"):
        Control(tmp_path)


def test_control_that_is_not_there_says_so(tmp_path: Path) -> None:
    (tmp_path / "operator.token").write_text("a-token-that-is-long-enough")
    said = failure(Control(tmp_path, "http://127.0.0.1:9"))
    assert "control does not answer at http://127.0.0.1:9" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(401, "invalid_token", "no"), "refuses the operator's token"),
        (refusal(403, "role_too_low", "This needs the role operator."), "needs the role"),
        (refusal(422, "plan_refused", "no", problems=["a:1", "b:2"]), "no\n  a:1\n  b:2"),
        (httpx2.Response(502, content=b"<html>"), "answered with status 502"),
        (httpx2.Response(200, content=b"<html>"), "is it the right address?"),
    ],
)
def test_refusals_in_one_line(control: FakeControl, answer: httpx2.Response, says: str) -> None:
    control.answers["GET /api/plan"] = answer
    assert says in failure(Control(control.layout.state))


def test_the_token_is_in_no_output(run: Callable[..., Result], control: FakeControl) -> None:
    token = control.layout.operator_token.read_text().strip()
    control.answers["GET /api/keys"] = refusal(401, "invalid_token", "no")
    result = run("key", "list")
    assert result.exit_code == 1
    assert token not in result.output


def test_the_plan_here_says_where_the_state_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_layout(None).state == Path(".tidegate")
    (tmp_path / "tidegate.yaml").write_text(PLAN)
    assert state_layout(None).state.name == "data"
    assert state_layout(Path("/x")).state == Path("/x")


def test_where_requests_go(tmp_path: Path) -> None:
    assert gateway_url(tmp_path, None) == "http://127.0.0.1:4000"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "gateway.url").write_text("http://127.0.0.1:7\n")
    assert gateway_url(tmp_path, None) == "http://127.0.0.1:7"
    assert gateway_url(tmp_path, "http://far/") == "http://far"


def test_error_codes_of_any_bytes() -> None:
    assert read_error_code(refusal(404, "not_found", "no").content) == "not_found"
    assert read_error_code(b"<html>") is None
