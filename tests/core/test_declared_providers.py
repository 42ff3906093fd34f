from msgspec.structs import fields

from tidegate.core.declared_providers import NO_CREDENTIAL, DeclaredDeadlines, DeclaredProvider
from tidegate.core.resilience import Deadlines


def test_deadlines_are_declared_one_for_one():
    assert [f.name for f in fields(DeclaredDeadlines)] == [f.name for f in fields(Deadlines)]


def test_no_credential_is_not_a_credential_left_out():
    assert DeclaredProvider(api_key=NO_CREDENTIAL) != DeclaredProvider()
