"""No member of a message is read without being known."""

from msgspec import Struct

from tidegate.dialects import _openai_chat_shapes as shapes

# Told by answers or other gateways, with members of their own that say nothing to a model.
OPEN = {"Body", "Cache", "Thought", "Detail"}


def test_every_struct_forbids_what_it_does_not_know() -> None:
    for name, found in vars(shapes).items():
        if isinstance(found, type) and issubclass(found, Struct) and found is not Struct:
            assert found.__struct_config__.forbid_unknown_fields == (name not in OPEN), name
