"""Signatures are AWS's: its published vectors, and whatever botocore signs."""

import datetime
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.credential import SigningKey
from tidegate.core.secret import Secret
from tidegate.providers._sigv4 import Scope, Signed, sign

# What the vectors of AWS's signature test suite (aws-c-auth) are all signed with.
SECRET = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
KEY = SigningKey("AKIDEXAMPLE", SECRET)
SCOPE = Scope("us-east-1", "service")
HOST = "example.amazonaws.com"
AT_S = 1440938160.0  # 2015-08-30T12:36:00Z
SESSION = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
LONG_SESSION = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmx"
    "fpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0K"
    "PkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZb"
    "qBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


def signature(request: Signed, key: SigningKey = KEY) -> str:
    return dict(sign(request, key, SCOPE, AT_S))["authorization"].rpartition("=")[2]


@pytest.mark.parametrize(
    ("method", "path", "session", "expected"),
    [
        ("POST", "/", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            None,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET",
            "/example space/",
            None,
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        ("GET", "/ሴ", None, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("GET", "/", SESSION, "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
        (
            "POST",
            "/",
            LONG_SESSION,
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ],
)
def test_the_published_vectors(method: str, path: str, session: str | None, expected: str) -> None:
    key = SigningKey(KEY.id, SECRET, None if session is None else Secret(session))
    assert signature(Signed(method, HOST, path, (), b""), key) == expected


def signed_by_botocore(request: Signed, key: SigningKey, scope: Scope) -> dict[str, str]:
    token = None if key.session is None else key.session.reveal()
    credentials = Credentials(key.id, key.secret.reveal(), token)
    theirs = AWSRequest(
        request.method, f"https://{request.host}{request.path}", dict(request.headers)
    )
    theirs.data = request.body
    auth.SigV4Auth(credentials, scope.name, scope.region).add_auth(theirs)
    return {name.lower(): value for name, value in theirs.headers.items()}


@settings(max_examples=100, deadline=None)
@given(
    # No model is called `..`, which botocore would take for the folder above.
    model=st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9.:/-]{0,39}", fullmatch=True),
    body=st.binary(max_size=100),
    session=st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,60}", fullmatch=True),
    at=st.datetimes(datetime.datetime(2015, 1, 1), datetime.datetime(2100, 1, 1)),
    region=st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"]),
)
def test_it_signs_as_botocore_does(
    model: str, body: bytes, session: str | None, at: datetime.datetime, region: str
) -> None:
    encoded = model.replace(":", "%3A").replace("/", "%2F")
    path = f"/model/{encoded}/converse-stream"
    headers = (("Content-Type", "application/json"), ("X-Amz-Guard", "  a   b "))
    request = Signed("POST", f"bedrock-runtime.{region}.amazonaws.com", path, headers, body)
    key = SigningKey("AKID", SECRET, None if session is None else Secret(session))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: at)
        theirs = signed_by_botocore(request, key, Scope(region, "bedrock"))
    now_s = at.replace(tzinfo=datetime.UTC).timestamp()
    for name, value in sign(request, key, Scope(region, "bedrock"), now_s):
        assert theirs[name] == value


CHANGES: dict[str, dict[str, Any]] = {
    "method": {"method": "PUT"},
    "host": {"host": "other.amazonaws.com"},
    "path": {"path": "/model/other/converse"},
    "type": {"headers": (("content-type", "text/plain"),)},
    "amz header": {"headers": (("content-type", "application/json"), ("x-amz-x", "1"))},
    "body": {"body": b"other"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_signed_changes_the_signature(change: str) -> None:
    request = Signed(
        "POST", HOST, "/model/m/converse", (("content-type", "application/json"),), b""
    )
    assert signature(request._replace(**CHANGES[change])) != signature(request)


def test_what_a_proxy_may_change_is_not_signed() -> None:
    request = Signed("POST", HOST, "/", (), b"")
    more = (("accept", "*/*"), ("user-agent", "tidegate"), ("x-request-id", "1"))
    assert signature(request._replace(headers=more)) == signature(request)


def test_the_time_is_written_once_and_the_secret_nowhere() -> None:
    sent = sign(Signed("POST", HOST, "/", (), b""), KEY, SCOPE, AT_S)
    assert [name for name, _ in sent] == ["x-amz-date", "authorization"]
    assert "wJalr" not in str(sent)
