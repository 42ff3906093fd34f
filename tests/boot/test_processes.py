"""The command lines that a supervisor starts."""

from pathlib import Path

from tidegate.boot.processes import Processes
from tidegate.core.address import Listen
from tidegate.core.layout import Layout

PROCESSES = Processes(
    layout=Layout(Path("/state")),
    plan=Path("/plan.yaml"),
    gateway_host="127.0.0.1",
    gateway_fd=5,
    control_fd=6,
    environ={"A": "b"},
)


def test_control_is_told_its_plan_and_the_gateway_s_host() -> None:
    spec = PROCESSES.control()
    argv = " ".join(spec.argv(9))
    assert "-m tidegate.boot.embedded --state /state --plan /plan.yaml --listen-fd 6" in argv
    assert argv.endswith("--gateway-host 127.0.0.1 --parent-fd 9")
    assert (spec.name, spec.fds, spec.environ, spec.log) == ("control", (6,), {"A": "b"}, None)


def test_a_gateway_has_its_slot_and_logs_where_it_is_told() -> None:
    told = Processes(
        **{
            **{name: getattr(PROCESSES, name) for name in PROCESSES.__struct_fields__},
            "logs": True,
            "tls_arguments": ("--tls-cert", "c"),
        }
    )
    spec = told.gateway(3)
    assert "-m tidegate.gateway --state /state --slot 3 --listen-fd 5" in " ".join(spec.argv(9))
    assert spec.argv(9)[-4:] == ["--tls-cert", "c", "--parent-fd", "9"]
    assert (spec.fds, spec.log) == ((5,), Path("/state/log/gateway-3.log"))


def test_any_llm_has_a_log_of_its_own_and_nothing_of_the_state() -> None:
    spec = PROCESSES.any_llm(Listen("127.0.0.1", 4011))
    argv = " ".join(spec.argv(9))
    assert argv.endswith("-m tidegate.beside.any_llm --listen 127.0.0.1:4011 --parent-fd 9")
    assert (spec.fds, spec.environ) == ((), {})
    assert spec.log == Path("/state/log/any-llm.log")
    ours = {"PATH": "/bin", "WATSONX_API_KEY": "s", "TIDEGATE_DATABASE": "s", "HOME": "/root"}
    assert spec.inherits(ours) == {"PATH": "/bin", "HOME": "/nonexistent"}
    assert PROCESSES.control().inherits(ours) == ours
