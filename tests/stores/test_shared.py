"""Names of machines and of their gateways in a database that they share."""

import socket
from pathlib import Path

import pytest

from tidegate.stores.shared import local_name, name_everywhere, node_name


@pytest.mark.parametrize("node", ["", "web-1-abcdef"])
def test_a_gateway_s_name_comes_back(node: str) -> None:
    assert local_name(node, name_everywhere(node, "gateway-0")) == "gateway-0"


@pytest.mark.parametrize(
    ("node", "name"),
    [("", "web/gateway-0"), ("web", "gateway-0"), ("web", "web-2/gateway-0"), ("w", "web/w")],
)
def test_another_machine_s_gateway_is_not_ours(node: str, name: str) -> None:
    assert local_name(node, name) is None


def test_a_machine_keeps_its_name_and_two_directories_are_two(tmp_path: Path) -> None:
    name = node_name(tmp_path / "node")
    assert name.startswith(socket.gethostname())
    assert node_name(tmp_path / "node") == name
    assert node_name(tmp_path / "other") != name


def test_a_copied_directory_gets_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = node_name(tmp_path / "node")
    monkeypatch.setattr(socket, "gethostname", lambda: "another host/with odd letters")
    other = node_name(tmp_path / "node")
    assert other != name
    assert other.startswith("another-host-with-odd-letters-")


@pytest.mark.parametrize("kept", [b"", b"\xff\xfe", b"nothing of ours"])
def test_a_file_that_holds_no_name_is_made_anew(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "node").write_bytes(kept)
    assert node_name(tmp_path / "node").startswith(socket.gethostname())
