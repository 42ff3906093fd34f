from msgspec.structs import fields

from tidegate.config.shape import shape_of
from tidegate.core.declared_contracts import MAX_CHARS, DeclaredContract
from tidegate.core.plan import Contract


def test_a_contract_is_declared_in_the_plan_s_own_fields_but_for_its_length():
    ours = {field.name for field in fields(Contract)}
    assert {field.name for field in fields(DeclaredContract)} == ours - {"max_chars"} | {
        "max_length"
    }


def test_defaults_are_the_plan_s_own():
    declared, contract = DeclaredContract(), Contract()
    for name in ("json", "json_schema", "tools", "regex", "on_violation", "buffer"):
        assert getattr(declared, name) == getattr(contract, name)
    assert contract.max_chars <= MAX_CHARS


def test_a_schema_is_read_as_json():
    assert shape_of(DeclaredContract).by_key["json_schema"].shape.read == "json"
