"""Application Default Credentials of Google's cloud.

https://cloud.google.com/docs/authentication/application-default-credentials. Kinds of credentials:
a service account (a signed JWT for a token, RFC 7523), a user of gcloud, a workload of another
cloud whose token is in a file (RFC 8693), each also on behalf of another service account; or the
metadata server of a machine. A program that credentials name is never run, and an address that they
name is asked where it is Google's own or the plan allows it.
"""

from collections.abc import Generator
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct

from tidegate.core.address import Url, parse_url
from tidegate.core.identity import GoogleIdentity
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Around, Fetch, Lease, NotSignedIn, ReadFile, Step, Steps
from tidegate.identities import _steps

_GOOGLES: Final = frozenset(
    f"{name}.googleapis.com" for name in ("oauth2", "sts", "iamcredentials", "www")
) | {"accounts.google.com"}
_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_EXCHANGE_URL: Final = "https://sts.googleapis.com/v1/token"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - its type
_TOKEN_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
_LIFE_S: Final = 3600
_MOST_NESTED: Final = 2
_SERVER: Final = "Google's token server"
_FILE: Final = "Google's credentials"
_HINT: Final = "run `gcloud auth application-default login`, or write `credentials:`"


class _Format(Struct):
    type: str = "text"
    subject_token_field_name: str | None = None


class _Source(Struct):
    """Where a workload's own token is."""

    file: str | None = None
    url: str | None = None
    headers: dict[str, str] = {}
    format: _Format = msgspec.field(default_factory=_Format)


class _Credentials(Struct):
    """All kinds together; `type` says which."""

    type: str
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    token_uri: str = _TOKEN_URL
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    audience: str = ""
    subject_token_type: str = ""
    token_url: str = _EXCHANGE_URL
    credential_source: _Source | None = None
    service_account_impersonation_url: str | None = None
    source_credentials: Raw = Raw(b"")
    delegates: list[str] = []


class _Lent(Struct, rename="camel"):
    """A token of the service account that another speaks for."""

    access_token: str
    expire_time: str


class Google:
    """core.sign_in.SignIn."""

    def steps(self, wanted: GoogleIdentity, around: Around) -> Steps:
        if wanted.source != "metadata":
            text = yield from _text(wanted, around)
            if text is not None:
                return (yield from _WithCredentials(wanted, around).lease(text))
            if wanted.source == "credentials":
                raise NotSignedIn(f"there are no Google credentials: {_HINT}")
        query = urlencode({"scopes": wanted.scope})
        url = f"{wanted.metadata_url}{_TOKEN_PATH}?{query}"
        step = Fetch("GET", url, (("metadata-flavor", "Google"),), direct=True)
        return (yield from _steps.bearer(step, "Google's metadata server"))


def _text(wanted: GoogleIdentity, around: Around) -> Generator[Step, Any, str | None]:
    """The credentials' JSON; None where nothing names any."""
    environ = around.environ
    if wanted.credentials is not None:
        return (yield from _steps.found(wanted.credentials, around, "Google's credentials"))
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if named:
        what = "GOOGLE_APPLICATION_CREDENTIALS names it"
        return (yield from _steps.read(named, what))
    folder = environ.get("CLOUDSDK_CONFIG") or f"{environ.get('HOME') or '/'}/.config/gcloud"
    text: str | None = yield ReadFile(f"{folder}/application_default_credentials.json")
    return text


class _WithCredentials:
    """One sign-in by the credentials of a file or a variable."""

    def __init__(self, wanted: GoogleIdentity, around: Around) -> None:
        self._wanted = wanted
        self._around = around

    def lease(self, text: str | bytes | Raw, nested: int = 0) -> Steps:
        told = _steps.decoded(bytes(text) if isinstance(text, Raw) else text, _Credentials, _FILE)
        if told.type == "service_account":
            return (yield from self._of_account(told))
        if told.type == "authorized_user":
            return (yield from self._of_user(told))
        if told.type == "external_account":
            lease = yield from self._of_workload(told)
        elif told.type == "impersonated_service_account" and nested < _MOST_NESTED:
            if not bytes(told.source_credentials) or not told.service_account_impersonation_url:
                raise NotSignedIn(f"{_FILE} speak for an account and do not say by whom")
            lease = yield from self.lease(told.source_credentials, nested + 1)
        else:
            kind = told.type[:60] if told.type.isprintable() else "?"
            raise NotSignedIn(f"{_FILE} are of the kind {kind!r}, which is not known here")
        if told.service_account_impersonation_url:
            return (yield from self._on_behalf(told, lease))
        return lease

    def _of_account(self, told: _Credentials) -> Steps:
        """https://developers.google.com/identity/protocols/oauth2/service-account"""
        now_s = int(self._around.now_s)
        claims = {
            "iss": told.client_email,
            "scope": self._wanted.scope,
            "aud": told.token_uri,
            "iat": now_s,
            "exp": now_s + _LIFE_S,
        }
        url = self._allowed(told.token_uri)
        header = {"alg": "RS256", "kid": told.private_key_id}
        assertion = yield from _steps.signed(header, claims, told.private_key)
        members = {"grant_type": _JWT_GRANT, "assertion": assertion.reveal()}
        return (yield from _steps.bearer(_steps.form(url, members), _SERVER, assertion))

    def _of_user(self, told: _Credentials) -> Steps:
        members = {
            "grant_type": "refresh_token",
            "client_id": told.client_id,
            "client_secret": told.client_secret,
            "refresh_token": told.refresh_token,
        }
        secrets = [Secret(one) for one in (told.client_secret, told.refresh_token) if one]
        step = _steps.form(self._allowed(told.token_uri), members)
        return (yield from _steps.bearer(step, _SERVER, *secrets))

    def _of_workload(self, told: _Credentials) -> Steps:
        """https://cloud.google.com/iam/docs/workload-identity-federation"""
        subject = yield from self._subject(told.credential_source)
        on_behalf = told.service_account_impersonation_url
        members = {
            "grant_type": _EXCHANGE,
            "audience": told.audience,
            "scope": GoogleIdentity().scope if on_behalf else self._wanted.scope,
            "requested_token_type": _ACCESS_TOKEN,
            "subject_token_type": told.subject_token_type,
            "subject_token": subject.reveal(),
        }
        step = _steps.form(self._allowed(told.token_url), members)
        return (yield from _steps.bearer(step, _SERVER, subject))

    def _subject(self, source: _Source | None) -> Generator[Step, Any, Secret]:
        who = "the workload's own token"
        if source is not None and source.file is not None:
            text = yield from _steps.read(source.file, who)
        elif source is not None and source.url is not None:
            url = self._allowed(source.url)
            step = Fetch("GET", url, tuple(source.headers.items()), direct=_steps.is_near(url))
            answer = yield from _steps.fetched(step, f"the server of {who}")
            text = answer.body.decode("ascii", "replace").strip()
        else:
            raise NotSignedIn(f"{_FILE} get {who} neither from a file nor from an address")
        if source.format.type == "json":
            told = _steps.decoded(text, dict[str, Any], who)
            text = str(told.get(source.format.subject_token_field_name or "", ""))
        return _steps.secret(text, who)

    def _on_behalf(self, told: _Credentials, lease: Lease) -> Steps:
        """https://cloud.google.com/iam/docs/reference/credentials/rest"""
        assert lease.token is not None  # noqa: S101 - Google gives tokens
        body = {"scope": [self._wanted.scope], "lifetime": f"{_LIFE_S}s"}
        if told.delegates:
            body["delegates"] = told.delegates
        headers = (
            ("content-type", "application/json"),
            ("authorization", f"Bearer {lease.token.reveal()}"),
        )
        url = self._allowed(told.service_account_impersonation_url or "")
        step = Fetch("POST", url, headers, msgspec.json.encode(body))
        answer = yield from _steps.fetched(step, _SERVER, lease.token)
        lent = _steps.decoded(answer.body, _Lent, _SERVER)
        lives_s = _steps.lives_until(lent.expire_time, answer, self._around, _SERVER)
        return Lease(lives_s, token=_steps.secret(lent.access_token, _SERVER))

    def _allowed(self, text: str) -> str:
        """The address, where it may be asked."""
        try:
            url = parse_url(text.partition("?")[0])
        except ValueError as error:
            raise NotSignedIn(f"{_FILE} name an address that is none: {error}") from None
        googles = url.scheme == "https" and url.port == 443 and url.host in _GOOGLES
        if googles or any(_same(url, one) for one in self._wanted.allow):
            return text
        raise NotSignedIn(
            f"{_FILE} name {url.scheme}://{url.authority}, which is none of Google's: write it "
            "below `allow:` of the identity, if it is yours"
        )


def _same(url: Url, allowed: str) -> bool:
    return url[:3] == parse_url(allowed)[:3]


plug = Google()
