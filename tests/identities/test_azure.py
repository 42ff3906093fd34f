"""Microsoft Entra ID: by which proof an application gets its token, and a machine."""

import base64
import hashlib
import json
from typing import Any

import pytest
from tests.identities.taking import NOW_S, form_of, take, token_of, told

from tidegate.core.identity import AzureIdentity
from tidegate.core.secret import SecretRef
from tidegate.core.sign_in import Fetched, NotSignedIn
from tidegate.identities.azure import plug

GOOD = told(access_token="eyJ.entra", expires_in=3599)
URL = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
SCOPE = "https://cognitiveservices.azure.com/.default"
APPLICATION = {"tenant_id": "t", "client_id": "c"}
DER = b"\x30\x82 not really a certificate"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
PEM = (
    f"{KEY}\n-----BEGIN CERTIFICATE-----\n{base64.b64encode(DER).decode()}\n"
    "-----END CERTIFICATE-----\n"
)


def test_an_application_s_secret() -> None:
    wanted = AzureIdentity(**APPLICATION, client_secret=SecretRef(file="/s"))
    taken = take(plug, wanted, GOOD, files={"/s": "s3cret\n"})
    assert (token_of(taken.lease), taken.lease.lives_s) == ("eyJ.entra", 3599)
    assert (taken.asked[0].url, taken.asked[0].direct) == (URL, False)
    assert form_of(taken.asked[0]) == {
        "grant_type": "client_credentials",
        "client_id": "c",
        "scope": SCOPE,
        "client_secret": "s3cret",
    }


def test_all_of_it_from_the_variables_of_azure_s_tools() -> None:
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "e"}
    taken = take(plug, AzureIdentity(), GOOD, environ=environ)
    assert taken.asked[0].url == URL
    assert form_of(taken.asked[0])["client_secret"] == "e"


def test_a_certificate() -> None:
    wanted = AzureIdentity(**APPLICATION, certificate_file="/c.pem")
    taken = take(plug, wanted, GOOD, files={"/c.pem": PEM})
    [signed] = taken.signed
    assert (signed.algorithm, signed.key_pem.reveal()) == ("PS256", KEY)
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + b"==")) for part in signed.message.split(b".")
    )
    print_of = base64.urlsafe_b64encode(hashlib.sha256(DER).digest()).rstrip(b"=").decode()
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": print_of}
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "aud": URL,
        "iss": "c",
        "sub": "c",
        "nbf": int(NOW_S),
        "iat": int(NOW_S),
        "exp": int(NOW_S) + 600,
    }
    form = form_of(taken.asked[0])
    assert form["client_assertion"].startswith(signed.message.decode() + ".")
    assert form["client_assertion_type"].endswith(":jwt-bearer")


def test_a_workload_of_kubernetes() -> None:
    environ = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_FEDERATED_TOKEN_FILE": "/run/token",
    }
    taken = take(plug, AzureIdentity(), GOOD, environ=environ, files={"/run/token": "eyJ.k8s\n"})
    assert form_of(taken.asked[0])["client_assertion"] == "eyJ.k8s"


def test_an_authority_of_the_plan_s() -> None:
    wanted = AzureIdentity(**APPLICATION, authority="https://login.microsoftonline.us")
    asked = take(plug, wanted, GOOD, environ={"AZURE_CLIENT_SECRET": "e"}).asked[0]
    assert asked.url == "https://login.microsoftonline.us/t/oauth2/v2.0/token"


@pytest.mark.parametrize("client", [None, "c"])
def test_a_managed_identity(client: str | None) -> None:
    answer = told(access_token="eyJ.m", expires_in="86399", expires_on="1", resource="r")
    taken = take(plug, AzureIdentity(client_id=client), answer)
    [asked] = taken.asked
    assert asked.url == (
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Fcognitiveservices.azure.com"
        f"{'&client_id=c' if client else ''}"
    )
    assert asked.direct and asked.headers == (("metadata", "true"),)
    assert taken.lease.lives_s == 86_399


def test_a_managed_identity_of_a_container_app() -> None:
    environ = {"IDENTITY_ENDPOINT": "http://localhost:42356/msi/token", "IDENTITY_HEADER": "h1"}
    answer = told(access_token="eyJ.m", expires_on=str(int(NOW_S) + 600))
    taken = take(plug, AzureIdentity(), answer, environ=environ)
    assert taken.lease.lives_s == 600
    assert taken.asked[0].url.startswith("http://localhost:42356/msi/token?api-version=2019-08-01&")
    assert taken.asked[0].headers == (("x-identity-header", "h1"),)
    elsewhere = {**environ, "IDENTITY_ENDPOINT": "http://10.0.0.1/msi/token"}
    with pytest.raises(NotSignedIn, match="IDENTITY_ENDPOINT"):
        take(plug, AzureIdentity(), answer, environ=elsewhere)
    for wrong in (told(access_token="a", expires_on="x"), told(access_token="a", expires_on=1)):
        with pytest.raises(NotSignedIn, match="server of managed identities"):
            take(plug, AzureIdentity(), wrong, environ=environ)


@pytest.mark.parametrize(
    ("wanted", "files", "why"),
    [
        ({"source": "secret", **APPLICATION}, {}, "AZURE_CLIENT_SECRET is not set"),
        ({"source": "secret", "client_id": "c"}, {}, "`tenant_id`.* AZURE_TENANT_ID"),
        ({"source": "secret", "tenant_id": "t"}, {}, "`client_id`.* AZURE_CLIENT_ID"),
        ({"source": "workload", **APPLICATION}, {}, "there is no file"),
        ({"token_file": "/t", **APPLICATION}, {"/t": "a b"}, "cannot have"),
        ({"certificate_file": "/c", **APPLICATION}, {"/c": KEY}, "no certificate and private key"),
        (
            {"certificate_file": "/c", **APPLICATION},
            {"/c": PEM.replace(base64.b64encode(DER).decode(), "AAA")},
            "cannot be read",
        ),
    ],
)
def test_what_is_missing_is_named(wanted: Any, files: dict[str, str], why: str) -> None:
    with pytest.raises(NotSignedIn, match=why):
        take(plug, AzureIdentity(**wanted), GOOD, files=files)


def test_a_refused_secret_is_not_told() -> None:
    wanted = AzureIdentity(**APPLICATION, client_secret=SecretRef(file="/s"))
    text = "AADSTS7000215: Invalid client secret provided: s3cret.\r\nTrace ID: 1"
    no = Fetched(401, json.dumps({"error": "invalid_client", "error_description": text}).encode())
    with pytest.raises(NotSignedIn, match="AADSTS7000215") as why:
        take(plug, wanted, no, files={"/s": "s3cret"})
    assert "s3cret" not in str(why.value)
