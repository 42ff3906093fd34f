"""What chat and Responses say alike means the same."""

from msgspec import Raw
from tests.dialects.grammar import STAMP

from tidegate.core.conversation import Output, ToolChoice
from tidegate.dialects._openai_chat_shapes import Schema
from tidegate.dialects._openai_members import call_id_of, output_of, tool_choice
from tidegate.dialects._openai_responses_shapes import OfSchema


def test_a_choice_of_tools() -> None:
    assert tool_choice(None, None) is None
    assert tool_choice("required", None) == ToolChoice("any")
    assert tool_choice("none", None) == ToolChoice("none")
    assert tool_choice(None, "tide") == ToolChoice("named", "tide")


def test_a_schema_for_the_answer() -> None:
    told = (Raw(b'{"type":"object"}'), "what for", True)
    expected = Output(Raw(b'{"type":"object"}'), "form", "what for", True)
    assert output_of(Schema("form", *told)) == output_of(OfSchema("form", *told)) == expected
    assert output_of(Schema("form", Raw(b"null"))).schema is None


def test_a_call_has_an_id_in_any_case() -> None:
    assert call_id_of("theirs", STAMP, 0) == "theirs"
    assert call_id_of(None, STAMP, 0) != call_id_of("", STAMP, 1)
