"""Application Default Credentials: which are found, what is asked with them, and what is not."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identities.taking import NOW_S, SIGNATURE, form_of, take, token_of, told

from tidegate.core.identity import GoogleIdentity
from tidegate.core.secret import SecretRef
from tidegate.core.sign_in import Fetch, Fetched, NotSignedIn
from tidegate.identities.google import plug

GOOD = told(access_token="ya29.t", expires_in=3599, token_type="Bearer")
ACCOUNT = {
    "type": "service_account",
    "client_email": "tide@p.iam.gserviceaccount.com",
    "private_key_id": "k1",
    "private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
}
USER = {
    "type": "authorized_user",
    "client_id": "c",
    "client_secret": "s3cret-of-client",
    "refresh_token": "1//refresh",
}
WORKLOAD = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/run/token"},
}
FILE = GoogleIdentity(credentials=SecretRef(file="/c.json"))
IAM = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p:generateAccessToken"


def files(credentials: Any, **more: str) -> dict[str, str]:
    return {"/c.json": json.dumps(credentials), "/run/token": "eyJ.k8s.token\n", **more}


def unpacked(part: bytes) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + b"=="))


def test_a_service_account_signs_for_its_token() -> None:
    taken = take(plug, FILE, GOOD, files=files(ACCOUNT))
    assert (token_of(taken.lease), taken.lease.lives_s) == ("ya29.t", 3599)
    [asked], [signed] = taken.asked, taken.signed
    assert (asked.method, asked.url, asked.direct) == (
        *("POST", "https://oauth2.googleapis.com/token"),
        False,
    )
    form = form_of(asked)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    message, _, signature = form["assertion"].rpartition(".")
    assert base64.urlsafe_b64decode(signature + "==") == SIGNATURE
    assert (signed.message, signed.algorithm) == (message.encode(), "RS256")
    assert signed.key_pem.reveal() == ACCOUNT["private_key"]
    header, claims = map(unpacked, signed.message.split(b"."))
    assert header == {"alg": "RS256", "kid": "k1", "typ": "JWT"}
    assert claims == {
        "iss": ACCOUNT["client_email"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": int(NOW_S),
        "exp": int(NOW_S) + 3600,
    }


def test_a_user_of_gcloud() -> None:
    home = {"/h/.config/gcloud/application_default_credentials.json": json.dumps(USER)}
    taken = take(plug, GoogleIdentity(), GOOD, files=home, environ={"HOME": "/h"})
    assert form_of(taken.asked[0]) == {
        "grant_type": "refresh_token",
        **{name: USER[name] for name in ("client_id", "client_secret", "refresh_token")},
    }


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ({"file": "/run/token"}, "eyJ.k8s.token\n"),
        (
            {
                "file": "/run/token",
                "format": {"type": "json", "subject_token_field_name": "id"},
            },
            '{"id": "eyJ.k8s.token"}',
        ),
    ],
)
def test_a_workload_of_another_cloud_exchanges_its_token(source: Any, file: str) -> None:
    found = files({**WORKLOAD, "credential_source": source}, **{"/run/token": file})
    taken = take(plug, FILE, GOOD, files=found)
    form = form_of(taken.asked[0])
    assert taken.asked[0].url == WORKLOAD["token_url"]
    assert (form["subject_token"], form["audience"]) == ("eyJ.k8s.token", WORKLOAD["audience"])


def test_on_behalf_of_a_service_account() -> None:
    credentials = {**WORKLOAD, "service_account_impersonation_url": IAM}
    lent = told(date_s=NOW_S + 500, accessToken="lent", expireTime="2026-09-21T14:29:00Z")

    def answer(step: Fetch) -> Fetched:
        return lent if step.url == IAM else GOOD

    taken = take(plug, FILE, answer, files=files(credentials))
    assert token_of(taken.lease) == "lent"
    # Counted by the server's own clock, whatever ours says.
    assert taken.lease.lives_s == 1_790_000_940 - (NOW_S + 500)
    assert dict(taken.asked[1].headers)["authorization"] == "Bearer ya29.t"
    assert json.loads(taken.asked[1].body)["lifetime"] == "3600s"


def test_one_account_that_speaks_for_another() -> None:
    credentials = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": IAM,
        "source_credentials": USER,
        "delegates": ["projects/-/serviceAccounts/b"],
    }
    lent = told(accessToken="lent", expireTime="2026-09-21T15:13:20+00:00")

    def answer(step: Fetch) -> Fetched:
        return lent if step.url == IAM else GOOD

    taken = take(plug, FILE, answer, files=files(credentials))
    assert (token_of(taken.lease), taken.lease.lives_s) == ("lent", 1_790_003_600 - NOW_S)
    assert json.loads(taken.asked[1].body)["delegates"] == ["projects/-/serviceAccounts/b"]


def test_without_credentials_the_metadata_server_is_asked() -> None:
    taken = take(plug, GoogleIdentity(), GOOD)
    [asked] = taken.asked
    assert asked.url.startswith(
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token?"
    )
    assert (asked.method, asked.direct) == ("GET", True)
    assert ("metadata-flavor", "Google") in asked.headers
    own = GoogleIdentity(source="metadata", metadata_url="http://127.0.0.1:9", credentials=None)
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": "/c.json"}
    asked = take(plug, own, GOOD, files=files(ACCOUNT), environ=environ).asked[0]
    assert asked.url.startswith("http://127.0.0.1:9/")


def test_credentials_in_a_variable() -> None:
    wanted = GoogleIdentity(credentials=SecretRef(env="GOOGLE_JSON"))
    assert take(plug, wanted, GOOD, environ={"GOOGLE_JSON": json.dumps(USER)}).lease.lives_s == 3599
    with pytest.raises(NotSignedIn, match="GOOGLE_JSON is not set"):
        take(plug, wanted)


@pytest.mark.parametrize(
    ("credentials", "where"),
    [
        ({**ACCOUNT, "token_uri": "https://evil.example/token"}, "evil.example:443"),
        ({**ACCOUNT, "token_uri": "http://oauth2.googleapis.com/token"}, "googleapis.com:80"),
        ({**ACCOUNT, "token_uri": "https://oauth2.googleapis.com:8443/t"}, "googleapis.com:8443"),
        ({**ACCOUNT, "token_uri": "https://oauth2.googleapis.com.evil.example/t"}, "evil.example"),
        ({**USER, "token_uri": "https://evil.example/"}, "evil.example"),
        ({**WORKLOAD, "token_url": "https://evil.example/"}, "evil.example"),
        (
            {**WORKLOAD, "credential_source": {"url": "http://169.254.169.254/x"}},
            "169.254.169.254",
        ),
        ({**WORKLOAD, "service_account_impersonation_url": "https://evil.example/"}, "evil"),
    ],
)
def test_an_address_that_is_not_googles_is_not_asked(credentials: Any, where: str) -> None:
    def answer(step: Fetch) -> Fetched:
        assert "evil" not in step.url and "169.254" not in step.url
        return GOOD

    with pytest.raises(NotSignedIn, match=where):
        take(plug, FILE, answer, files=files(credentials))


URLS = st.sampled_from(
    [
        "https://oauth2.googleapis.com/token",
        "https://sts.googleapis.com/v1/token",
        "https://allowed.example/x",
        "https://allowed.example@evil.example/",
        "https://evil.example/?https://oauth2.googleapis.com",
        "https://oauth2.googleapis.com#@evil.example/",
        "https://oauth2.googleapis.com\\@evil.example/",
        "http://169.254.169.254/x",
        "",
    ]
) | st.text(max_size=30)
NAMES = ("token_uri", "token_url", "service_account_impersonation_url")


@given(
    kind=st.sampled_from([ACCOUNT, USER, WORKLOAD]),
    urls=st.dictionaries(st.sampled_from(NAMES), URLS),
    source=st.none() | URLS.map(lambda url: {"credential_source": {"url": url}}),
)
def test_whatever_credentials_name_only_these_hosts_are_asked(
    kind: Any, urls: dict[str, str], source: Any
) -> None:
    def answer(step: Fetch) -> Fetched:
        assert step.url.startswith(ASKED), step.url
        return GOOD

    wanted = GoogleIdentity(credentials=FILE.credentials, allow=("https://allowed.example",))
    try:
        take(plug, wanted, answer, files=files({**kind, **urls, **(source or {})}))
    except NotSignedIn as no:
        assert str(no).isprintable()


ASKED = tuple(
    f"https://{host}/"
    for host in ("oauth2.googleapis.com", "sts.googleapis.com", "allowed.example")
)


def test_an_address_that_the_plan_allows_is_asked() -> None:
    credentials = files({**ACCOUNT, "token_uri": "http://127.0.0.1:81/t"})
    allowed = GoogleIdentity(credentials=FILE.credentials, allow=("http://127.0.0.1:81",))
    assert take(plug, allowed, GOOD, files=credentials).asked[0].url == "http://127.0.0.1:81/t"
    other = GoogleIdentity(credentials=FILE.credentials, allow=("http://127.0.0.1:82",))
    with pytest.raises(NotSignedIn, match="allow"):
        take(plug, other, GOOD, files=credentials)


@pytest.mark.parametrize(
    ("credentials", "why"),
    [
        ({"type": "gdch_service_account"}, "'gdch_service_account', which is not known here"),
        ({**WORKLOAD, "credential_source": {"executable": {"command": "sh"}}}, "running a program"),
        ({**WORKLOAD, "credential_source": {"environment_id": "aws1"}}, "that AWS signs"),
        ({**WORKLOAD, "credential_source": {"certificate": {}}}, "by a certificate"),
        ({**WORKLOAD, "credential_source": {}}, "neither from a file nor from an address"),
        ({**ACCOUNT, "universe_domain": "example.goog"}, "of another universe than googleapis.com"),
        ({**USER, "quota_project_id": "a b"}, "no name that projects have"),
        (
            {
                **WORKLOAD,
                "service_account_impersonation_url": IAM,
                "service_account_impersonation": {"token_lifetime_seconds": 1},
            },
            "other than 600 to 43200 seconds",
        ),
        ({"type": "impersonated_service_account"}, "do not say by whom"),
        ({"type": 7}, "what is there cannot be read"),
        ([], "what is there cannot be read"),
    ],
)
def test_credentials_of_another_kind(credentials: Any, why: str) -> None:
    with pytest.raises(NotSignedIn, match=why):
        take(plug, FILE, GOOD, files=files(credentials))


@pytest.mark.parametrize(
    ("plan", "variable", "file", "expected"),
    [
        *((None, None, None, None), (None, None, "of-file", "of-file")),
        *((None, "of-env", "of-file", "of-env"), ("of-plan", "of-env", "of-file", "of-plan")),
        *(("of-plan", None, None, "of-plan"), (None, "of-env", None, "of-env")),
    ],
    ids=range(6),
)
def test_whose_quota_counts(
    plan: str | None, variable: str | None, file: str | None, expected: str | None
) -> None:
    wanted = GoogleIdentity(credentials=FILE.credentials, quota_project=plan)
    environ = {} if variable is None else {"GOOGLE_CLOUD_QUOTA_PROJECT": variable}
    credentials = {**USER, "universe_domain": "googleapis.com"}
    if file is not None:
        credentials["quota_project_id"] = file
    taken = take(plug, wanted, GOOD, files=files(credentials), environ=environ)
    header = () if expected is None else (("x-goog-user-project", expected),)
    assert taken.lease.headers == header
    assert "x-goog-user-project" not in dict(taken.asked[0].headers)
    if file is None:
        metadata = GoogleIdentity(source="metadata", quota_project=plan)
        assert take(plug, metadata, GOOD, environ=environ).lease.headers == header


def test_who_speaks_for_another_does_so_at_the_cost_of_its_own_project() -> None:
    lending = {"token_lifetime_seconds": 900}
    credentials = {
        **WORKLOAD,
        "service_account_impersonation_url": IAM,
        "service_account_impersonation": lending,
        "quota_project_id": "mine",
    }
    lent = told(accessToken="lent", expireTime="2026-09-21T15:13:20+00:00")
    taken = take(plug, FILE, lambda it: lent if it.url == IAM else GOOD, files=files(credentials))
    assert dict(taken.asked[1].headers)["x-goog-user-project"] == "mine"
    assert json.loads(taken.asked[1].body)["lifetime"] == "900s"
    assert taken.lease.headers == (("x-goog-user-project", "mine"),)


def test_a_user_of_a_workforce() -> None:
    credentials = {**USER, "type": "external_account_authorized_user"}
    [asked] = take(plug, FILE, GOOD, files=files(credentials)).asked
    assert asked.url == "https://sts.googleapis.com/v1/oauthtoken"
    assert form_of(asked) == {"grant_type": "refresh_token", "refresh_token": "1//refresh"}
    told_by = base64.b64encode(b"c:s3cret-of-client").decode()
    assert dict(asked.headers)["authorization"] == f"Basic {told_by}"


@pytest.mark.parametrize("client", [False, True])
def test_a_workload_says_by_which_client_or_project_it_asks(client: bool) -> None:
    credentials = {**WORKLOAD, "workforce_pool_user_project": "p-1"}
    if client:
        credentials |= {"client_id": "c", "client_secret": "s"}
    [asked] = take(plug, FILE, GOOD, files=files(credentials)).asked
    assert form_of(asked).get("options") == (
        None if client else "%7B%22userProject%22%3A%22p-1%22%7D"
    )
    assert ("authorization" in dict(asked.headers)) == client


def test_credentials_that_are_not_there() -> None:
    with pytest.raises(NotSignedIn, match="gcloud auth application-default login"):
        take(plug, GoogleIdentity(source="credentials"))
    with pytest.raises(NotSignedIn, match=r"there is no file /x\.json"):
        take(plug, GoogleIdentity(), environ={"GOOGLE_APPLICATION_CREDENTIALS": "/x.json"})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            told(400, error="invalid_grant", error_description="1//refresh has been revoked"),
            r"answered 400 \(invalid_grant: \[redacted\] has been revoked\)",
        ),
        (
            told(403, error={"status": "PERMISSION_DENIED", "message": "no"}),
            "PERMISSION_DENIED: no",
        ),
        (Fetched(502, b"<html>"), "answered 502$"),
        (Fetched(200, b"<html>"), "what is there cannot be read"),
        (told(access_token="a b", expires_in=9), "signs that it cannot have"),
        (told(access_token="a\r\nx: y", expires_in=9), "signs that it cannot have"),
        (told(access_token="", expires_in=9), "signs that it cannot have"),
        (told(access_token="a", expires_in=0), "has ended already"),
        (told(access_token="a", expires_in="soon"), "how long"),
        (told(access_token="a", expires_in="nan"), "has ended already"),
        (told(access_token="a"), "what is there cannot be read"),
    ],
)
def test_a_server_that_gives_none(answer: Fetched, why: str) -> None:
    with pytest.raises(NotSignedIn, match=why) as no:
        take(plug, FILE, answer, files=files(USER))
    assert "s3cret" not in str(no.value) and "1//" not in str(no.value)
