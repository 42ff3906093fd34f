"""As whom a provider is asked, where that is an identity in a cloud and no key of the plan's own.

Nothing of this is used unless a plan declares it: no address of a cloud is asked by default. What
is left out is taken from the variables that the cloud's own tools read.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import BaseUrl, Text
from tidegate.core.secret import SecretRef

CLOUDS = ("google", "azure", "aws")


class GoogleIdentity(Struct, frozen=True, omit_defaults=True):
    """Google's Application Default Credentials."""

    source: Annotated[
        Literal["credentials", "metadata"] | None,
        Meta(
            description="`credentials` (a service account, a user, a workload of another cloud) or "
            "`metadata` (the server of a machine on GCE or GKE). Default: credentials where there "
            "are some, else metadata."
        ),
    ] = None
    credentials: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the credentials' JSON is found: `file:/path` or `${NAME}`. Default: "
            "the file that `GOOGLE_APPLICATION_CREDENTIALS` names, then that of gcloud.",
        ),
    ] = None
    scope: Annotated[Text, Meta(description="What the token is for.")] = (
        "https://www.googleapis.com/auth/cloud-platform"
    )
    quota_project: Annotated[
        Text | None,
        Meta(
            description="Whose quota requests count against (`x-goog-user-project`). Default: "
            "`GOOGLE_CLOUD_QUOTA_PROJECT`, then what the credentials say."
        ),
    ] = None
    allow: Annotated[
        tuple[BaseUrl, ...],
        Meta(
            description="Addresses that the credentials may name for tokens, beside Google's own; "
            "of each its scheme, host and port count."
        ),
    ] = ()
    metadata_url: Annotated[BaseUrl, Meta(description="The metadata server.")] = (
        "http://metadata.google.internal"
    )


class AzureIdentity(Struct, frozen=True, omit_defaults=True):
    """An application or a managed identity of Microsoft Entra ID."""

    source: Annotated[
        Literal["secret", "certificate", "workload", "managed"] | None,
        Meta(
            description="`secret` or `certificate` of an application, `workload` (a token file of "
            "Kubernetes), or `managed` (of the machine). Default: the first that is there."
        ),
    ] = None
    tenant_id: Annotated[
        Text | None, Meta(description="The directory. Default: `AZURE_TENANT_ID`.")
    ] = None
    client_id: Annotated[
        Text | None,
        Meta(
            description="The application, or the managed identity where there are several. "
            "Default: `AZURE_CLIENT_ID`."
        ),
    ] = None
    client_secret: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the application's secret is found. Default: `AZURE_CLIENT_SECRET`.",
        ),
    ] = None
    certificate_file: Annotated[
        str | None,
        Meta(
            extra={"read": "path"},
            description="The application's certificate and its key (PEM, no password). Default: "
            "`AZURE_CLIENT_CERTIFICATE_PATH`.",
        ),
    ] = None
    token_file: Annotated[
        str | None,
        Meta(
            extra={"read": "path"},
            description="The workload's own token. Default: `AZURE_FEDERATED_TOKEN_FILE`.",
        ),
    ] = None
    scope: Annotated[Text, Meta(description="What the token is for.")] = (
        "https://cognitiveservices.azure.com/.default"
    )
    authority: Annotated[BaseUrl, Meta(description="Where applications get tokens.")] = (
        "https://login.microsoftonline.com"
    )
    metadata_url: Annotated[BaseUrl, Meta(description="Where managed identities get tokens.")] = (
        "http://169.254.169.254"
    )


class AwsIdentity(Struct, frozen=True, omit_defaults=True):
    """A role in AWS. Keys in variables and files need no identity."""

    source: Annotated[
        Literal["web_identity", "container", "instance"] | None,
        Meta(
            description="`web_identity` (a role for a service account of Kubernetes), `container` "
            "(of ECS, or a pod identity of EKS) or `instance` (of EC2). Default: the first that "
            "the machine's variables tell of, else instance."
        ),
    ] = None
    role_arn: Annotated[
        Text | None,
        Meta(description="The role of a web identity. Default: `AWS_ROLE_ARN`."),
    ] = None
    token_file: Annotated[
        str | None,
        Meta(
            extra={"read": "path"},
            description="The web identity's token. Default: `AWS_WEB_IDENTITY_TOKEN_FILE`.",
        ),
    ] = None
    region: Annotated[
        Text | None,
        Meta(description="Default: `AWS_REGION`, `AWS_DEFAULT_REGION`."),
    ] = None
    sts_url: Annotated[
        BaseUrl | None,
        Meta(description="Where a role is assumed. Default: the STS of the region."),
    ] = None
    container_url: Annotated[
        BaseUrl | None,
        Meta(
            description="Where a container gets its keys. Default: what "
            "`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `_FULL_URI` names, where that is ECS's "
            "or EKS's own address or this machine."
        ),
    ] = None
    metadata_url: Annotated[BaseUrl, Meta(description="Where an instance gets its keys.")] = (
        "http://169.254.169.254"
    )


class Identity(Struct, frozen=True, omit_defaults=True):
    """One of them is there."""

    google: Annotated[
        GoogleIdentity | None, Meta(description="Application Default Credentials.")
    ] = None
    azure: Annotated[AzureIdentity | None, Meta(description="Microsoft Entra ID.")] = None
    aws: Annotated[AwsIdentity | None, Meta(description="A role in AWS.")] = None

    @property
    def clouds(self) -> tuple[str, ...]:
        """Those that are there, by their plugs in `identities/`."""
        return tuple(name for name in CLOUDS if getattr(self, name) is not None)

    def __str__(self) -> str:
        return f"identity {' and '.join(self.clouds)}"
