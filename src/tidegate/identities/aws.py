"""A role in AWS: of a service account of Kubernetes, of a container, of an instance.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (IMDSv2 only)
"""

import re
from collections.abc import Generator
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from tidegate.core.address import parse_url
from tidegate.core.credential import SigningKey
from tidegate.core.identity import AwsIdentity
from tidegate.core.sign_in import Around, Fetch, Fetched, Lease, NotSignedIn, Step, Steps
from tidegate.identities import _steps

_STS: Final = "AWS STS"
_CONTAINER: Final = "AWS's server of container credentials"
_INSTANCE: Final = "AWS's instance metadata"
_ECS: Final = "http://169.254.170.2"
_EKS: Final = ("169.254.170.23", "fd00:ec2::23")
_ROLES: Final = "/latest/meta-data/iam/security-credentials/"
_SESSION_S: Final = "21600"
_NAME: Final = re.compile(r"[\w+=,.@/-]{1,128}")
# Whose answers are XML: the values that matter hold none of its signs.
_ELEMENTS: Final = {
    name: re.compile(rf"<{name}>([^<&]{{1,16384}})</{name}>".encode())
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "Code", "Message")
}


class _Keys(Struct, rename="pascal"):
    access_key_id: str
    secret_access_key: str
    expiration: str
    token: str


class Aws:
    """core.sign_in.SignIn."""

    def steps(self, wanted: AwsIdentity, around: Around) -> Steps:
        environ = around.environ
        source = wanted.source or _source(wanted, around)
        if source == "web_identity":
            return (yield from _of_web_identity(wanted, around))
        if source == "container":
            url = _container_url(wanted, around)
            token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
            file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
            what = "the container's own token"
            if file:
                token = yield from _steps.read(file, what)
            own = (("authorization", _steps.secret(token, what).reveal()),) if token else ()
            answer = yield from _steps.fetched(Fetch("GET", url, own, direct=True), _CONTAINER)
            return _leased(answer, wanted, around, _CONTAINER)
        return (yield from _of_instance(wanted, around))


def _source(wanted: AwsIdentity, around: Around) -> str:
    environ = around.environ
    if wanted.token_file or environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return "web_identity"
    names = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if wanted.container_url or any(environ.get(name) for name in names):
        return "container"
    return "instance"


def _region(wanted: AwsIdentity, around: Around) -> str | None:
    environ = around.environ
    return wanted.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None


def _of_web_identity(wanted: AwsIdentity, around: Around) -> Steps:
    environ, region = around.environ, _region(wanted, around)
    role = wanted.role_arn or environ.get("AWS_ROLE_ARN")
    if not role:
        raise NotSignedIn("`role_arn` of the identity is missing, and so is AWS_ROLE_ARN")
    url = wanted.sts_url
    if url is None:
        if region is None or not re.fullmatch(r"[a-z]{2}[a-z0-9-]*-\d+", region):
            raise NotSignedIn("no region is known for AWS STS: set AWS_REGION, or `region:`")
        url = f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    file = wanted.token_file or environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or ""
    what = "the workload's own token"
    token = _steps.secret((yield from _steps.read(file, what)), what)
    members = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": environ.get("AWS_ROLE_SESSION_NAME") or "tidegate",
        "WebIdentityToken": token.reveal(),
    }
    answer: Fetched = yield _steps.form(f"{url}/", members)
    found = {name: it.search(answer.body) for name, it in _ELEMENTS.items()}
    told = {name: match[1].decode("utf-8", "replace") for name, match in found.items() if match}
    if answer.status != 200:
        why = f" ({told['Code']})" if "Code" in told else ""
        raise NotSignedIn(f"{_STS} answered {answer.status}{why} for the role {role}")
    try:
        keys = _Keys(
            told["AccessKeyId"], told["SecretAccessKey"], told["Expiration"], told["SessionToken"]
        )
    except KeyError:
        raise NotSignedIn(f"{_STS} answered what is no key") from None
    return _lease(keys, answer, wanted, around, _STS)


def _container_url(wanted: AwsIdentity, around: Around) -> str:
    relative = around.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    whole = around.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if wanted.container_url is not None:
        return wanted.container_url
    if relative:
        return _ECS + relative
    if not whole:
        raise NotSignedIn("no variable says where this container gets its AWS key")
    try:
        host = parse_url(whole.partition("?")[0]).host
    except ValueError as error:
        message = f"AWS_CONTAINER_CREDENTIALS_FULL_URI is no address: {error}"
        raise NotSignedIn(message) from None
    if host in _EKS or _steps.is_near(whole):
        return whole
    raise NotSignedIn(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names an address that is none of AWS's: write it as "
        "`container_url:` of the identity, if it is yours"
    )


def _of_instance(wanted: AwsIdentity, around: Around) -> Steps:
    if around.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise NotSignedIn("AWS_EC2_METADATA_DISABLED forbids to ask for this instance's role")
    at = wanted.metadata_url
    ttl = (("x-aws-ec2-metadata-token-ttl-seconds", _SESSION_S),)
    step = Fetch("PUT", f"{at}/latest/api/token", ttl, direct=True)
    answer = yield from _steps.fetched(step, _INSTANCE)
    session = _steps.secret(answer.body.decode("ascii", "replace").strip(), _INSTANCE)
    headers = (("x-aws-ec2-metadata-token", session.reveal()),)
    role = yield from _role(f"{at}{_ROLES}", headers)
    step = Fetch("GET", f"{at}{_ROLES}{quote(role)}", headers, direct=True)
    answer = yield from _steps.fetched(step, _INSTANCE, session)
    return _leased(answer, wanted, around, _INSTANCE)


def _role(url: str, headers: tuple[tuple[str, str], ...]) -> Generator[Step, Any, str]:
    answer: Fetched = yield Fetch("GET", url, headers, direct=True)
    lines = answer.body.decode("ascii", "replace").split()
    if answer.status == 404 or (answer.status == 200 and not lines):
        raise NotSignedIn("this AWS instance has no role")
    if answer.status != 200 or not _NAME.fullmatch(lines[0]):
        raise NotSignedIn(f"{_INSTANCE} answered {answer.status} to the question for its role")
    return lines[0]


def _leased(answer: Fetched, wanted: AwsIdentity, around: Around, who: str) -> Lease:
    return _lease(_steps.decoded(answer.body, _Keys, who), answer, wanted, around, who)


def _lease(keys: _Keys, answer: Fetched, wanted: AwsIdentity, around: Around, who: str) -> Lease:
    lives_s = _steps.lives_until(keys.expiration, answer, around, who)
    secret, session = _steps.secret(keys.secret_access_key, who), _steps.secret(keys.token, who)
    key_id = _steps.secret(keys.access_key_id, who).reveal()
    return Lease(lives_s, key=SigningKey(key_id, secret, session, _region(wanted, around)))


plug = Aws()
