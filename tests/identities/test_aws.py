"""A role in AWS: of a service account of Kubernetes, of a container, of an instance."""

from typing import Any

import pytest
from tests.identities.taking import NOW_S, Taken, form_of, take, told

from tidegate.core.identity import AwsIdentity
from tidegate.core.sign_in import Fetch, Fetched, NotSignedIn
from tidegate.identities.aws import plug

UNTIL = "2026-09-21T15:13:20Z"  # an hour after NOW_S
XML = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>
<SecretAccessKey>wJalr/+x</SecretAccessKey><SessionToken>FwoGZX==</SessionToken>
<Expiration>2026-09-21T15:13:20Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
KEYS = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "wJalr/+x",
    "Token": "FwoGZX==",
    "Expiration": UNTIL,
}
IRSA = {
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/tide",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token",
    "AWS_REGION": "eu-central-1",
}
TOKEN = {"/run/token": "eyJ.k8s\n"}


def shown(taken: Taken) -> tuple[Any, ...]:
    key = taken.lease.key
    assert key is not None and key.session is not None and taken.lease.token is None
    return key.id, key.secret.reveal(), key.session.reveal(), key.region, taken.lease.lives_s


IRSA_PLAN = {
    "source": "web_identity",
    "role_arn": "r",
    "region": "eu-west-1",
    "token_file": "/run/token",
}
WHOLE = ("ASIAEXAMPLE", "wJalr/+x", "FwoGZX==", "eu-central-1", 3600)


def test_a_service_account_of_kubernetes() -> None:
    taken = take(plug, AwsIdentity(), Fetched(200, XML), files=TOKEN, environ=IRSA)
    assert shown(taken) == WHOLE
    [asked] = taken.asked
    assert (asked.method, asked.url) == ("POST", "https://sts.eu-central-1.amazonaws.com/")
    assert form_of(asked) == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::1:role/tide",
        "RoleSessionName": "tidegate",
        "WebIdentityToken": "eyJ.k8s",
    }


@pytest.mark.parametrize(
    ("wanted", "environ", "url"),
    [
        ({"region": "cn-north-1"}, {}, "https://sts.cn-north-1.amazonaws.com.cn/"),
        ({"sts_url": "http://127.0.0.1:9"}, {}, "http://127.0.0.1:9/"),
        ({}, {"AWS_REGION": "us-gov-west-1"}, "https://sts.us-gov-west-1.amazonaws.com/"),
    ],
)
def test_the_sts_of_the_region_is_asked(wanted: Any, environ: dict[str, str], url: str) -> None:
    identity = AwsIdentity(**wanted)
    taken = take(plug, identity, Fetched(200, XML), files=TOKEN, environ=IRSA | environ)
    assert taken.asked[0].url == url


@pytest.mark.parametrize("region", ["", "x.evil.example/", "eu-central-1@evil"])
def test_a_region_is_no_way_to_another_address(region: str) -> None:
    with pytest.raises(NotSignedIn, match="no region"):
        take(plug, AwsIdentity(), files=TOKEN, environ=IRSA | {"AWS_REGION": region})


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"},
            "http://169.254.170.2/v2/credentials/1",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"},
            "http://169.254.170.23/v1/credentials",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1/credentials"},
            "http://[fd00:ec2::23]/v1/credentials",
        ),
    ],
)
@pytest.mark.parametrize("token", [None, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "file"])
def test_a_container(environ: dict[str, str], url: str, token: str | None) -> None:
    if token == "file":
        environ = environ | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/run/token"}
    elif token is not None:
        environ = environ | {token: "eyJ.k8s"}
    environ = environ | {"AWS_DEFAULT_REGION": "eu-central-1"}
    taken = take(plug, AwsIdentity(), told(**KEYS), files=TOKEN, environ=environ)
    assert shown(taken) == WHOLE
    [asked] = taken.asked
    assert (asked.url, asked.direct) == (url, True)
    assert asked.headers == (() if token is None else (("authorization", "eyJ.k8s"),))


def test_a_container_s_address_is_aws_s_or_the_plan_s() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/keys"}
    with pytest.raises(NotSignedIn, match="none of AWS's"):
        take(plug, AwsIdentity(), environ=environ)
    own = AwsIdentity(container_url="http://keys.example/k")
    assert take(plug, own, told(**KEYS), environ=environ).asked[0].url == "http://keys.example/k"


def imds(step: Fetch) -> Fetched:
    path = step.url.removeprefix("http://169.254.169.254")
    if path == "/latest/api/token":
        assert step.method == "PUT"
        assert dict(step.headers)["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
        return Fetched(200, b"session==")
    assert step.method == "GET" and step.direct
    assert dict(step.headers) == {"x-aws-ec2-metadata-token": "session=="}
    roles = "/latest/meta-data/iam/security-credentials/"
    if path == roles:
        return Fetched(200, b"tide-role\n")
    assert path == f"{roles}tide-role"
    return told(date_s=NOW_S - 60, Code="Success", **KEYS)


def test_an_instance_by_the_second_version_of_its_protocol_only() -> None:
    taken = take(plug, AwsIdentity(region="eu-central-1"), imds)
    assert shown(taken) == (*WHOLE[:4], 3660)  # by the server's clock
    assert len(taken.asked) == 3


@pytest.mark.parametrize(
    ("answer", "wanted", "why"),
    [
        (Fetched(403, b""), {}, "instance metadata answered 403"),
        (Fetched(404, b""), {"source": "instance"}, "answered 404"),
        (Fetched(200, b""), {"source": "instance"}, "signs that it cannot have"),
        (
            Fetched(400, b"<Error><Code>AccessDenied</Code><Message>eyJ.k8s</Message></Error>"),
            IRSA_PLAN,
            r"AWS STS answered 400 \(AccessDenied\) for the role r",
        ),
        (
            Fetched(200, XML.replace(b"SessionToken", b"Other")),
            IRSA_PLAN,
            "no key",
        ),
        (
            Fetched(200, b"{}"),
            {"source": "container", "container_url": "http://k"},
            "cannot be read",
        ),
        (
            told(**{**KEYS, "Expiration": "2020-01-01T00:00:00Z"}),
            {"source": "container", "container_url": "http://k"},
            "ended already",
        ),
        (
            told(**{**KEYS, "SecretAccessKey": "a\r\nb"}),
            {"source": "container", "container_url": "http://k"},
            "signs",
        ),
        (None, {"source": "container"}, "no variable says"),
        (None, {"source": "web_identity"}, "AWS_ROLE_ARN"),
    ],
)
def test_what_goes_wrong_is_told(answer: Any, wanted: Any, why: str) -> None:
    with pytest.raises(NotSignedIn, match=why):
        take(plug, AwsIdentity(**wanted), answer, files=TOKEN)


@pytest.mark.parametrize("roles", [Fetched(404, b""), Fetched(200, b"\n")])
def test_an_instance_without_a_role(roles: Fetched) -> None:
    def answer(step: Fetch) -> Fetched:
        return roles if step.method == "GET" else Fetched(200, b"session")

    with pytest.raises(NotSignedIn, match="no role"):
        take(plug, AwsIdentity(), answer)


def test_a_role_s_name_is_no_way_to_another_path() -> None:
    def answer(step: Fetch) -> Fetched:
        return Fetched(200, b"session") if step.method == "PUT" else Fetched(200, b"a?b#c")

    with pytest.raises(NotSignedIn, match="question for its role"):
        take(plug, AwsIdentity(), answer)
