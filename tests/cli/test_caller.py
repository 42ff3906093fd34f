"""`tidegate caller`."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.core.caller import id_of_caller

ISSUER = "https://issuer.example"
DONE = {"id": "jwt-a", "issuer": ISSUER, "waiting_for": ["gateway-1"]}


def test_revoking_and_restoring(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/callers/revoke"] = DONE
    control.answers["POST /api/callers/restore"] = {**DONE, "waiting_for": []}
    result = run("caller", "revoke", "k8s", "--subject", "a", "--before", "1970-01-01T00:00:05Z")
    assert result.stdout == f"Revoked jwt-a of {ISSUER}.\n"
    assert "Not yet obeyed by gateway-1" in result.stderr
    assert run("caller", "restore", "k8s", "--token", "j").stdout.startswith("Restored jwt-a")
    assert control.bodies() == [
        {"issuer": "k8s", "subject": "a", "before_s": 5.0},
        {"issuer": "k8s", "token_id": "j"},
    ]


def test_the_list_and_the_id(run: Callable[..., Result], control: FakeControl) -> None:
    row = {
        "id": "jwt-a",
        "issuer": ISSUER,
        "subject": None,
        "token_id": "j",
        "before_s": None,
        "at_s": 0.0,
        "author": "ann",
    }
    control.answers["GET /api/callers/revocations"] = {"revocations": [row]}
    listed = run("caller", "list").stdout
    assert "whenever made" in listed and "ann" in listed
    assert run("caller", "id", ISSUER, "a").stdout.strip() == id_of_caller(ISSUER, "a")
