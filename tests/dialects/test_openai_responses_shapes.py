"""No member of an item is read without being known."""

from msgspec import Struct

from tidegate.dialects import _openai_responses_shapes as shapes

# Its own unknown members are told by name.
OPEN = {"Body"}


def test_every_struct_forbids_what_it_does_not_know() -> None:
    for name, found in vars(shapes).items():
        if isinstance(found, type) and issubclass(found, Struct) and found is not Struct:
            assert found.__struct_config__.forbid_unknown_fields == (name not in OPEN), name
