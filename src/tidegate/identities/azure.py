"""Microsoft Entra ID: applications by secret, certificate or a token of Kubernetes, and managed
identities.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Generator
from typing import Any, Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.identity import AzureIdentity
from tidegate.core.secret import Secret, SecretRef
from tidegate.core.sign_in import Around, Fetch, Lease, NotSignedIn, Step, Steps
from tidegate.identities import _steps

_SECRET: Final = SecretRef(env="AZURE_CLIENT_SECRET")
_JWT: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----")
_LOCKED: Final = ("ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED")
_ASSERTION_LIFE_S: Final = 600
_SERVER: Final = "Entra ID"
_MANAGED: Final = "the server of managed identities"


class _Managed(Struct):
    """Of App Service and Container Apps: until when, in seconds since 1970."""

    access_token: str
    expires_on: int | str


class Azure:
    """core.sign_in.SignIn."""

    def steps(self, wanted: AzureIdentity, around: Around) -> Steps:
        environ = around.environ
        source = wanted.source or _source(wanted, around)
        if source == "managed":
            return (yield from _of_machine(wanted, around))
        tenant = wanted.tenant_id or environ.get("AZURE_TENANT_ID")
        client = wanted.client_id or environ.get("AZURE_CLIENT_ID")
        if not tenant or not client:
            missing = "tenant_id" if not tenant else "client_id"
            variable = f"AZURE_{missing.upper()}"
            raise NotSignedIn(f"`{missing}` of the identity is missing, and so is {variable}")
        url = f"{wanted.authority}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        members = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": wanted.scope,
        }
        if source == "secret":
            told = yield from _steps.found(
                wanted.client_secret or _SECRET, around, "the application's secret"
            )
            proof = Secret(told)
            members["client_secret"] = told
        else:
            if source == "certificate":
                proof = yield from _by_certificate(wanted, around, client, url)
            else:
                file = wanted.token_file or environ.get("AZURE_FEDERATED_TOKEN_FILE") or ""
                what = "the workload's own token"
                proof = _steps.secret((yield from _steps.read(file, what)), what)
            members |= {"client_assertion_type": _JWT, "client_assertion": proof.reveal()}
        return (yield from _steps.bearer(_steps.form(url, members), _SERVER, proof))


def _source(wanted: AzureIdentity, around: Around) -> str:
    """The first that is there."""
    environ = around.environ
    if wanted.client_secret is not None or environ.get("AZURE_CLIENT_SECRET"):
        return "secret"
    if wanted.certificate_file or environ.get("AZURE_CLIENT_CERTIFICATE_PATH"):
        return "certificate"
    if wanted.token_file or environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        return "workload"
    return "managed"


def _by_certificate(
    wanted: AzureIdentity, around: Around, client: str, url: str
) -> Generator[Step, Any, Secret]:
    """https://learn.microsoft.com/entra/identity-platform/certificate-credentials"""
    file = wanted.certificate_file or around.environ.get("AZURE_CLIENT_CERTIFICATE_PATH") or ""
    text = yield from _steps.read(file, "the application's certificate and key")
    if any(sign in text for sign in _LOCKED):
        raise NotSignedIn(f"the private key in {file} has a password: write it without one")
    certificate, key = _CERTIFICATE.search(text), _KEY.search(text)
    if certificate is None or key is None:
        raise NotSignedIn(f"{file} holds no certificate and private key in PEM")
    try:
        der = base64.b64decode("".join(certificate[1].split()), validate=True)
    except binascii.Error:
        raise NotSignedIn(f"the certificate in {file} cannot be read") from None
    print_of = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    now_s = int(around.now_s)
    claims = {
        "aud": url,
        "iss": client,
        "sub": client,
        "jti": clock.random_text("0123456789abcdef", 32),
        "nbf": now_s,
        "iat": now_s,
        "exp": now_s + _ASSERTION_LIFE_S,
    }
    return (yield from _steps.signed({"alg": "PS256", "x5t#S256": print_of}, claims, key[0]))


def _of_machine(wanted: AzureIdentity, around: Around) -> Steps:
    environ = around.environ
    asked = {"resource": wanted.scope.removesuffix("/.default")}
    client = wanted.client_id or environ.get("AZURE_CLIENT_ID")
    if client:
        asked["client_id"] = client
    endpoint, header = environ.get("IDENTITY_ENDPOINT"), environ.get("IDENTITY_HEADER")
    if environ.get("IDENTITY_SERVER_THUMBPRINT"):
        raise NotSignedIn("the identities of Service Fabric are not known here")
    if endpoint and header:
        if not _steps.is_near(endpoint):
            raise NotSignedIn("IDENTITY_ENDPOINT names an address that is not of this machine")
        query = urlencode({"api-version": "2019-08-01", **asked})
        own = (("x-identity-header", header),)
        step = Fetch("GET", f"{endpoint}?{query}", own, direct=True)
        answer = yield from _steps.fetched(step, _MANAGED, Secret(header))
        told = _steps.decoded(answer.body, _Managed, _MANAGED)
        try:
            until_s = float(told.expires_on)
        except ValueError:
            raise NotSignedIn(f"{_MANAGED} does not say how long its token lives") from None
        lives_s = _steps.lives(until_s - (answer.date_s or around.now_s), _MANAGED)
        return Lease(lives_s, token=_steps.secret(told.access_token, _MANAGED))
    if environ.get("IMDS_ENDPOINT") or environ.get("MSI_ENDPOINT"):
        raise NotSignedIn("the identities of Azure Arc and of Cloud Shell are not known here")
    query = urlencode({"api-version": "2018-02-01", **asked})
    url = f"{wanted.metadata_url}/metadata/identity/oauth2/token?{query}"
    step = Fetch("GET", url, (("metadata", "true"),), direct=True)
    return (yield from _steps.bearer(step, _MANAGED))


plug = Azure()
