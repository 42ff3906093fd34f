"""As whom a provider is asked: what a plan may say of it, and what of that is in the plan."""

import msgspec
import pytest

from tidegate.core.identity import CLOUDS, AwsIdentity, AzureIdentity, GoogleIdentity, Identity
from tidegate.core.secret import SecretRef


def test_each_cloud_has_a_part_of_its_own() -> None:
    parts = {"google": GoogleIdentity(), "azure": AzureIdentity(), "aws": AwsIdentity()}
    assert set(parts) == set(CLOUDS) == set(Identity.__struct_fields__)
    for cloud, part in parts.items():
        identity = Identity(**{cloud: part})
        assert identity.clouds == (cloud,)
        assert str(identity) == f"identity {cloud}"
    assert Identity().clouds == ()


@pytest.mark.parametrize(
    "identity",
    [
        Identity(google=GoogleIdentity(credentials=SecretRef(file="/c"), allow=("http://a",))),
        Identity(azure=AzureIdentity(client_secret=SecretRef(env="S"), tenant_id="t")),
        Identity(aws=AwsIdentity(role_arn="r")),
    ],
)
def test_it_travels_in_a_plan_and_is_told_from_others(identity: Identity) -> None:
    packed = msgspec.msgpack.encode(identity)
    assert msgspec.msgpack.decode(packed, type=Identity) == identity
    assert {identity: 1}[msgspec.structs.replace(identity)] == 1
    assert identity != Identity(google=GoogleIdentity())
