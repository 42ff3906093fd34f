"""Receivers that run, and certificates that they show."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.actuators.receivers import Http, MailServer, running


@pytest.fixture
def http() -> Iterator[Http]:
    receiver = Http()
    with running(receiver):
        yield receiver


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    receiver = MailServer()
    with running(receiver):
        yield receiver


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
