"""What clouds' own tools know of credentials: each row of the page's table, carried or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.identities import test_aws, test_azure, test_google
from tests.identities.taking import NOW_S, take, told

from tidegate.core.identity import AwsIdentity, AzureIdentity, GoogleIdentity
from tidegate.core.sign_in import Fetch, Fetched, NotSignedIn
from tidegate.gateway.aws_key import AwsKey
from tidegate.identities import aws, azure, google

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/credentials.md"
APP: Final = {"tenant_id": "t", "client_id": "c"}
LENT: Final = told(accessToken="lent", expireTime="2026-09-21T15:13:20+00:00")
MANAGED: Final = {"IDENTITY_ENDPOINT": "http://localhost:1/msi/token", "IDENTITY_HEADER": "h"}


def of_google(**credentials: Any) -> None:
    def answer(step: Fetch) -> Fetched:
        return LENT if step.url == test_google.IAM else test_google.GOOD

    found = test_google.files(credentials)
    wanted = GoogleIdentity(credentials=test_google.FILE.credentials, allow=("http://127.0.0.1:9",))
    lease = take(google.plug, wanted, answer, files=found).lease
    assert lease.token is not None
    if "quota_project_id" in credentials:
        assert lease.headers == (("x-goog-user-project", credentials["quota_project_id"]),)


def federated(**source: Any) -> Callable[[Path], object]:
    workload = {**test_google.WORKLOAD, "credential_source": source}
    return lambda _: of_google(**workload)


def of_azure(environ: dict[str, str] | None = None, **wanted: Any) -> None:
    files = {
        "/c": test_azure.PEM,
        "/locked": test_azure.PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"),
    }
    files["/t"] = "own.token"
    answer = told(access_token="a", expires_in=9, expires_on=int(NOW_S) + 9)
    taken = take(azure.plug, AzureIdentity(**wanted), answer, files=files, environ=environ or {})
    assert taken.lease.token is not None


def of_aws(environ: dict[str, str], answer: Any) -> None:
    keys = take(aws.plug, AwsIdentity(), answer, files=test_aws.TOKEN, environ=environ).lease.key
    assert keys is not None and keys.session is not None


def of_instance(step: Fetch) -> Fetched:
    if step.method == "PUT":
        return Fetched(200, b"session")
    assert dict(step.headers)["x-aws-ec2-metadata-token"] == "session"
    whole = step.url.endswith("/role")
    return Fetched(200, msgspec.json.encode(test_aws.KEYS) if whole else b"role")


def of_files(folder: Path, profile: str, **environ: str) -> None:
    config = folder / "config"
    config.write_text(f"[default]\n{profile}\n")
    found = AwsKey({"AWS_CONFIG_FILE": str(config), "HOME": str(folder), **environ})
    found.refresh()
    if found.key is None:
        raise NotSignedIn(str(found.problem))


ACCOUNT, USER = test_google.ACCOUNT, test_google.USER
SPOKEN: Final = {"service_account_impersonation_url": test_google.IAM, "source_credentials": USER}
JSON: Final = {"type": "json", "subject_token_field_name": "access_token"}
KEYS: Final = "aws_access_key_id = A\naws_secret_access_key = s"
OF_ENVIRON: Final = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}
CONTAINER: Final = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
EKS: Final = "http://169.254.170.23/v1"
ECS: Final = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
WHOLE: Final = Fetched(200, msgspec.json.encode(test_aws.KEYS))

# By the row of the page: what takes it, and what is said where it is not carried.
ROWS: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "a service account's key": (lambda _: of_google(**ACCOUNT), None),
    "a user of gcloud": (lambda _: of_google(**USER), None),
    "a user of a workforce": (
        lambda _: of_google(**{**USER, "type": "external_account_authorized_user"}),
        None,
    ),
    "a workload's token in a file": (federated(file="/run/token"), None),
    "a workload's token at an address": (
        federated(url="http://127.0.0.1:9/t", format=JSON),
        None,
    ),
    "a workload of AWS": (federated(environment_id="aws1"), "that AWS signs"),
    "a workload's token by a program": (federated(executable={"command": "x"}), "a program"),
    "a workload's certificate": (federated(certificate={}), "by a certificate"),
    "an account that another speaks for": (
        lambda _: of_google(type="impersonated_service_account", **SPOKEN),
        None,
    ),
    "the metadata server of GCE, GKE or Cloud Run": (
        lambda _: take(google.plug, GoogleIdentity(source="metadata"), test_google.GOOD),
        None,
    ),
    "`quota_project_id`": (lambda _: of_google(**USER, quota_project_id="p-1"), None),
    "`universe_domain` of another cloud": (
        lambda _: of_google(**ACCOUNT, universe_domain="example.goog"),
        "another universe",
    ),
    "Google Distributed Cloud": (
        lambda _: of_google(type="gdch_service_account"),
        "not known here",
    ),
    "an application's secret": (lambda _: of_azure({"AZURE_CLIENT_SECRET": "s"}, **APP), None),
    "an application's certificate (PEM)": (lambda _: of_azure(certificate_file="/c", **APP), None),
    "a certificate's key with a password": (
        lambda _: of_azure(certificate_file="/locked", **APP),
        "has a password",
    ),
    "a workload of Kubernetes": (lambda _: of_azure(token_file="/t", **APP), None),
    "a virtual machine's identity": (lambda _: of_azure(), None),
    "that of App Service or Container Apps": (lambda _: of_azure(MANAGED), None),
    "that of Azure Arc or Cloud Shell": (lambda _: of_azure({"IMDS_ENDPOINT": "x"}), "Azure Arc"),
    "that of Service Fabric": (
        lambda _: of_azure({**MANAGED, "IDENTITY_SERVER_THUMBPRINT": "x"}),
        "Service Fabric",
    ),
    "a key in variables": (lambda folder: of_files(folder, "", **OF_ENVIRON), None),
    "a key of a profile": (lambda folder: of_files(folder, KEYS), None),
    "a role of a profile": (lambda folder: of_files(folder, "role_arn = r"), "role_arn"),
    "SSO": (lambda folder: of_files(folder, "sso_session = s"), "sso_session"),
    "`credential_process`": (
        lambda folder: of_files(folder, "credential_process = x"),
        "credential_process",
    ),
    "a web identity (IRSA)": (lambda _: of_aws(test_aws.IRSA, Fetched(200, test_aws.XML)), None),
    "a task of ECS": (lambda _: of_aws({ECS: "/v2/x"}, WHOLE), None),
    "a pod identity of EKS": (
        lambda _: of_aws({CONTAINER: "http://169.254.170.23/v1"}, WHOLE),
        None,
    ),
    "an instance's role (IMDSv2)": (lambda _: of_aws({}, of_instance), None),
    "an instance's role (IMDSv1)": (lambda _: of_aws({}, Fetched(403, b"")), "answered 403"),
    "an instance, with `AWS_EC2_METADATA_DISABLED`": (
        lambda _: of_aws({"AWS_EC2_METADATA_DISABLED": "true"}, of_instance),
        "AWS_EC2_METADATA_DISABLED",
    ),
}


def test_the_page_s_table_is_this_one() -> None:
    text = PAGE.read_text()
    table = text[text.index("## What of clouds' own tools is carried") :]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    _, *rest = rows
    shown = {row[2].strip(): row[3].strip() == "yes" for row in rest if "---" not in row[1]}
    assert shown == {row: said is None for row, (_, said) in ROWS.items()}


@pytest.mark.parametrize("row", list(ROWS))
def test_what_clouds_tools_know_is_carried_or_refused_by_its_name(tmp_path: Path, row: str) -> None:
    sign_in, said = ROWS[row]
    if said is None:
        sign_in(tmp_path)
    else:
        with pytest.raises(NotSignedIn, match=said):
            sign_in(tmp_path)
