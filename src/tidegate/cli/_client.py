"""How a command reaches control and the gateway, and how it says that it cannot."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import httpx2
import msgspec

from tidegate.config.load import DEFAULT_FILE, load
from tidegate.core.layout import Layout

T = TypeVar("T")

_DEFAULT_STATE = Path(".tidegate")
_DEFAULT_CONTROL = "http://127.0.0.1:4001"
_DEFAULT_GATEWAY = "http://127.0.0.1:4000"
_TIMEOUT_S = 30.0
_CONNECT_TIMEOUT_S = 3.0


def control_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a command finds control and its token."""
    state = click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="TIDEGATE_STATE",
        metavar="DIR",
        help="State directory of the Tidegate on this machine; holds the operator's token. "
        "Default: the one of tidegate.yaml here.",
    )
    address = click.option(
        "--control",
        envvar="TIDEGATE_CONTROL",
        metavar="URL",
        help="Address of control. Default: the one that runs on the state directory. Elsewhere "
        "than on this machine, put the operator's token in TIDEGATE_OPERATOR_TOKEN.",
    )
    return state(address(command))


class Control:
    """Control's API with the operator's token. Every failure is a one-line ClickException."""

    def __init__(
        self,
        state: Path | None,
        address: str | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        layout = state_layout(state)
        self.url = address or read_url(layout.run / "control.url") or _DEFAULT_CONTROL
        self.state = layout.state
        self._client = httpx2.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {_token(layout)}"},
            timeout=httpx2.Timeout(_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            trust_env=not _is_here(self.url),
            # Every authority that this system trusts takes a tenth of a second to load.
            verify=not self.url.startswith("http://"),
            transport=transport,
        )

    def get(self, path: str, shape: type[T], **query: Any) -> T:
        given = {name: str(value) for name, value in query.items() if value is not None}
        return self._ask("GET", path, shape, params=given)

    def post(self, path: str, shape: type[T], body: msgspec.Struct | None = None) -> T:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": "application/json"}
        return self._ask("POST", path, shape, content=content, headers=headers)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, shape: type[T], **request: Any) -> T:
        try:
            answer = self._client.request(method, path, **request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise click.ClickException(
                f"control does not answer at {self.url}: start it with `tidegate up`, "
                "or say where it is with --control"
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise click.ClickException(f"control at {self.url}: {error}") from error
        if answer.status_code >= 400:
            raise click.ClickException(self._refusal(answer.status_code, answer.content))
        try:
            return msgspec.json.decode(answer.content, type=shape)
        except msgspec.DecodeError as error:
            raise click.ClickException(
                f"{self.url} did not answer as control does ({error}): is it the right address?"
            ) from error

    def _refusal(self, status: int, content: bytes) -> str:
        message, problems = read_error(content)
        if status == 401:
            return (
                f"control at {self.url} refuses the operator's token: it is read from "
                f"{self.state / 'operator.token'} or TIDEGATE_OPERATOR_TOKEN"
            )
        lines = [message or f"control at {self.url} answered with status {status}"]
        return "\n  ".join(lines + problems)


def open_control(state: Path | None, address: str | None) -> Control:
    """Control for the command that runs now; closed when the command ends."""
    return click.get_current_context().with_resource(Control(state, address))


class _Error(msgspec.Struct):
    message: str
    code: str | None = None
    problems: list[str] = []


class _Refusal(msgspec.Struct):
    error: _Error


def read_error(content: bytes) -> tuple[str | None, list[str]]:
    """(message, problems) of an answer in OpenAI's error shape; (None, []) of any other."""
    try:
        error = msgspec.json.decode(content, type=_Refusal).error
    except msgspec.DecodeError:
        return None, []
    return error.message, error.problems


def read_error_code(content: bytes) -> str | None:
    try:
        return msgspec.json.decode(content, type=_Refusal).error.code
    except msgspec.DecodeError:
        return None


def state_layout(state: Path | None) -> Layout:
    """The state directory: the given one, or that of the plan in this directory."""
    if state is not None:
        return Layout(state.expanduser())
    plan = Path(DEFAULT_FILE)
    declared = load(plan, os.environ).declared if plan.is_file() else None
    return Layout(Path(declared.storage.dir).expanduser() if declared else _DEFAULT_STATE)


def gateway_url(state: Path | None, address: str | None) -> str:
    """Where requests go: the given address, or the one that runs on the state directory."""
    layout = state_layout(state)
    return (address or read_url(layout.run / "gateway.url") or _DEFAULT_GATEWAY).rstrip("/")


def read_url(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip() or None
    except OSError:
        return None


def _token(layout: Layout) -> str:
    token = os.environ.get("TIDEGATE_OPERATOR_TOKEN", "").strip()
    if token:
        return token
    try:
        return layout.operator_token.read_text("utf-8").strip()
    except FileNotFoundError as error:
        raise click.ClickException(
            f"{layout.state} holds no operator.token: start Tidegate with `tidegate up`, "
            "name its directory with --state, or set TIDEGATE_OPERATOR_TOKEN"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{layout.operator_token} cannot be read: {error}") from error


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
