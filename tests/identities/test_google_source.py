"""Where a workload's own token is: a file or an address, as text or in JSON, and nowhere else."""

import json
from typing import Any

import msgspec
import pytest
from tests.identities.taking import told

from tidegate.core.secret import Secret
from tidegate.core.sign_in import Fetch, Fetched, NotSignedIn, ReadFile
from tidegate.identities._google_source import Source, subject_of

URL = "http://127.0.0.1:9/token?audience=x"


def subject(source: Source | None, found: Any) -> tuple[str, Any]:
    """The token, and the one step that was taken to it."""
    steps = subject_of(source, lambda url: url)
    step = next(steps)
    try:
        steps.send(found)
    except StopIteration as end:
        token: Secret = end.value
        return token.reveal(), step
    raise AssertionError("one step is enough")


@pytest.mark.parametrize("in_json", [False, True])
def test_in_a_file_and_at_an_address(in_json: bool) -> None:
    told_as: dict[str, Any] = {}
    text = "eyJ.own\n"
    if in_json:
        told_as = {"format": {"type": "json", "subject_token_field_name": "id"}}
        text = json.dumps({"id": "eyJ.own"})
    source = _source(file="/t", **told_as)
    assert subject(source, text) == ("eyJ.own", ReadFile("/t"))
    source = _source(url=URL, headers={"metadata": "True"}, **told_as)
    token, asked = subject(source, Fetched(200, text.encode()))
    assert token == "eyJ.own"
    assert asked == Fetch("GET", URL, (("metadata", "True"),), direct=True)


def test_an_address_goes_by_who_allows_it() -> None:
    def refuse(url: str) -> str:
        raise NotSignedIn(f"not {url}")

    with pytest.raises(NotSignedIn, match="not http"):
        next(subject_of(_source(url=URL), refuse))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (None, "neither from a file nor from an address"),
        ({"environment_id": "aws1", "url": URL}, "that AWS signs"),
        ({"executable": {"command": "x"}, "file": "/t"}, "running a program"),
        ({"certificate": {}, "file": "/t"}, "by a certificate"),
    ],
    ids=range(4),
)
def test_what_is_not_carried_is_not_passed_over(source: Any, why: str) -> None:
    with pytest.raises(NotSignedIn, match=why):
        next(subject_of(None if source is None else _source(**source), str))


@pytest.mark.parametrize(
    "found", [told(token="a b"), told(token=7 * "x\n"), told(other="x"), Fetched(500, b"eyJ.own")]
)
def test_what_is_no_token(found: Fetched) -> None:
    source = _source(url=URL, format={"type": "json", "subject_token_field_name": "token"})
    with pytest.raises(NotSignedIn):
        subject(source, found)


def _source(**members: Any) -> Source:
    return msgspec.convert(members, Source)
