"""Application Default Credentials of Google's cloud.

https://cloud.google.com/docs/authentication/application-default-credentials. Kinds of credentials:
a service account (a signed JWT for a token, RFC 7523), a user of gcloud, a workload of another
cloud whose token is in a file or at an address (RFC 8693), a user of a workforce, each also on
behalf of another service account; or the metadata server of a machine. A program that credentials
name is never run, and an address that they name is asked where it is Google's own or the plan
allows it. What is not carried is refused by its name.
"""

import re
from collections.abc import Generator
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.core.address import Url, parse_url
from tidegate.core.identity import GoogleIdentity
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Around, Fetch, Lease, NotSignedIn, ReadFile, Step, Steps
from tidegate.identities import _steps
from tidegate.identities._google_source import FILE, Source, subject_of

_GOOGLES: Final = frozenset(
    f"{name}.googleapis.com" for name in ("oauth2", "sts", "iamcredentials", "www")
) | {"accounts.google.com"}
_TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_EXCHANGE_URL: Final = "https://sts.googleapis.com/v1/token"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - its type
_TOKEN_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
_OAUTH_URL: Final = "https://sts.googleapis.com/v1/oauthtoken"
_LIFE_S: Final = 3600
# How long a token of an account that another speaks for may live.
_LENT_S: Final = (600, 43_200)
# Kinds of credentials that may speak for a service account.
_SPEAKING: Final = ("external_account", "impersonated_service_account")
_UNIVERSE: Final = "googleapis.com"
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9.:-]{0,127}")
_MOST_NESTED: Final = 2
_SERVER: Final = "Google's token server"
_HINT: Final = "run `gcloud auth application-default login`, or write `credentials:`"


class _Lending(Struct):
    token_lifetime_seconds: int | None = None


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
    token_url: str = ""
    workforce_pool_user_project: str | None = None
    credential_source: Source | None = None
    service_account_impersonation_url: str | None = None
    service_account_impersonation: _Lending | None = None
    source_credentials: Raw = Raw(b"")
    delegates: list[str] = []
    quota_project_id: str | None = None
    universe_domain: str | None = None


class _Lent(Struct, rename="camel"):
    """A token of the service account that another speaks for."""

    access_token: str
    expire_time: str


class Google:
    """core.sign_in.SignIn."""

    def steps(self, wanted: GoogleIdentity, around: Around) -> Steps:
        own = wanted.quota_project or around.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT")
        lease = yield from self._lease(wanted, around)
        return _counted(lease, own) if own else lease

    def _lease(self, wanted: GoogleIdentity, around: Around) -> Steps:
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
        told = _steps.decoded(bytes(text) if isinstance(text, Raw) else text, _Credentials, FILE)
        if told.universe_domain not in (None, "", _UNIVERSE):
            raise NotSignedIn(f"{FILE} are of another universe than {_UNIVERSE}, the only one here")
        lease = yield from self._of_kind(told, nested)
        if told.quota_project_id:
            lease = _counted(lease, told.quota_project_id)
        if told.service_account_impersonation_url and told.type in _SPEAKING:
            lease = yield from self._on_behalf(told, lease)
            if told.quota_project_id:
                lease = _counted(lease, told.quota_project_id)
        return lease

    def _of_kind(self, told: _Credentials, nested: int) -> Steps:
        """Of whoever the credentials are, before it speaks for anybody else."""
        if told.type == "service_account":
            return (yield from self._of_account(told))
        if told.type == "authorized_user":
            return (yield from self._of_user(told))
        if told.type == "external_account_authorized_user":
            return (yield from self._of_workforce(told))
        if told.type == "external_account":
            return (yield from self._of_workload(told))
        if told.type == "impersonated_service_account" and nested < _MOST_NESTED:
            if not bytes(told.source_credentials) or not told.service_account_impersonation_url:
                raise NotSignedIn(f"{FILE} speak for an account and do not say by whom")
            return (yield from self.lease(told.source_credentials, nested + 1))
        kind = told.type[:60] if told.type.isprintable() else "?"
        raise NotSignedIn(f"{FILE} are of the kind {kind!r}, which is not known here")

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

    def _of_workforce(self, told: _Credentials) -> Steps:
        """A user who has logged in by an identity provider of a workforce."""
        members = {"grant_type": "refresh_token", "refresh_token": told.refresh_token}
        own = _steps.basic(told.client_id, told.client_secret) if told.client_id else ()
        step = _steps.form(self._allowed(told.token_url or _OAUTH_URL), members, *own)
        secrets = [Secret(one) for one in (told.client_secret, told.refresh_token) if one]
        return (yield from _steps.bearer(step, _SERVER, *secrets))

    def _of_workload(self, told: _Credentials) -> Steps:
        """https://cloud.google.com/iam/docs/workload-identity-federation"""
        subject = yield from subject_of(told.credential_source, self._allowed)
        on_behalf = told.service_account_impersonation_url
        members = {
            "grant_type": _EXCHANGE,
            "audience": told.audience,
            "scope": GoogleIdentity().scope if on_behalf else self._wanted.scope,
            "requested_token_type": _ACCESS_TOKEN,
            "subject_token_type": told.subject_token_type,
            "subject_token": subject.reveal(),
        }
        own = _steps.basic(told.client_id, told.client_secret) if told.client_id else ()
        if told.workforce_pool_user_project and not own:
            options = msgspec.json.encode({"userProject": told.workforce_pool_user_project})
            members["options"] = quote(options)
        step = _steps.form(self._allowed(told.token_url or _EXCHANGE_URL), members, *own)
        secrets = (subject, Secret(told.client_secret)) if told.client_secret else (subject,)
        return (yield from _steps.bearer(step, _SERVER, *secrets))

    def _on_behalf(self, told: _Credentials, lease: Lease) -> Steps:
        """https://cloud.google.com/iam/docs/reference/credentials/rest"""
        assert lease.token is not None  # noqa: S101 - Google gives tokens
        lending = told.service_account_impersonation
        life_s = None if lending is None else lending.token_lifetime_seconds
        if life_s is not None and not _LENT_S[0] <= life_s <= _LENT_S[1]:
            bounds = f"{_LENT_S[0]} to {_LENT_S[1]} seconds"
            raise NotSignedIn(f"{FILE} want a token for other than {bounds}")
        body = {"scope": [self._wanted.scope], "lifetime": f"{life_s or _LIFE_S}s"}
        if told.delegates:
            body["delegates"] = told.delegates
        headers = (
            ("content-type", "application/json"),
            ("authorization", f"Bearer {lease.token.reveal()}"),
            *lease.headers,
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
            raise NotSignedIn(f"{FILE} name an address that is none: {error}") from None
        googles = url.scheme == "https" and url.port == 443 and url.host in _GOOGLES
        if googles or any(_same(url, one) for one in self._wanted.allow):
            return text
        raise NotSignedIn(
            f"{FILE} name {url.scheme}://{url.authority}, which is none of Google's: write it "
            "below `allow:` of the identity, if it is yours"
        )


def _counted(lease: Lease, project: str) -> Lease:
    """The same for requests that count against the quota of that project."""
    if not _PROJECT.fullmatch(project):
        raise NotSignedIn("the project whose quota is to count has no name that projects have")
    return replace(lease, headers=(("x-goog-user-project", project),))


def _same(url: Url, allowed: str) -> bool:
    return url[:3] == parse_url(allowed)[:3]


plug = Google()
