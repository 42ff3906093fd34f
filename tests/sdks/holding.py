"""One conversation of the matrix, by whichever client: held, and held against what was meant."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.sdks import chat_wire, said
from tests.sdks.house import LOOSE, MODELS, House, Provider
from tests.sdks.matrix import CALLERS, Cell, passes, recorded, shows, signs
from tests.sdks.said import ANSWERS, RESULTS, Heard, Said

from tidegate.core.receipt import Receipt

Place = tuple[str, str, str]
TELLS_NO_WRITES = ("gemini", "cohere")


class Turn(NamedTuple):
    """One answer as a client has it: what it says, and the object of a structured one."""

    said: Said
    formed: Any = None


class Asked(NamedTuple):
    """A conversation to hold: caller, provider and case; at another route than the provider's."""

    place: Place
    turns: int
    streamed: bool
    route: str = ""


class BadRequest(Exception):
    """The client's own error for 400, as its message has it."""


# Holds a conversation, turn by turn. BadRequest.
Talk = Callable[[Asked], list[Turn]]


def hold_cell(house: House, talk: Talk, place: Place, cell: Cell, streamed: bool) -> None:
    """The conversation of one cell, by the client behind `talk`."""
    caller, name, case = place
    house.forget()
    before = len(house.receipts())
    provider = house.providers[name]
    bytes_of_theirs = recorded(name, case, streamed)
    provider.answers = list(bytes_of_theirs or ANSWERS[case])
    if cell.by_them:
        refuse_theirs(house, talk, place, streamed)
        return
    if cell.refused is not None:
        refuse(house, talk, place, cell, streamed)
        return
    expected = [chat_wire.read(one) for one in bytes_of_theirs or ()] or list(ANSWERS[case])
    if case == "named" and caller == "chat" and passes(caller, name):
        expected = [told._replace(finish="stop") for told in expected]  # the bytes that came
    answers = talk(Asked(place, len(expected), streamed))
    assert provider.misunderstood == []
    for turn, (answer, told) in enumerate(zip(answers, expected, strict=True)):
        agree(answer.said, as_told(told, caller, name))
        understood(provider.heard[turn], place, streamed)
        if case == "structured" and turn == 0:
            formed(provider.heard[turn].form)
        else:
            assert provider.heard[turn].form is None
    if case == "structured":
        written = said.Tide.model_validate_json(expected[0].text)
        assert said.Tide.model_validate(answers[0].formed) == written
    if len(answers) == 2:
        came_back(provider, place, answers[0].said)
    receipts = house.receipts_after(before)
    assert len(receipts) == len(expected)
    for receipt, told in zip(receipts, expected, strict=True):
        noted(receipt, told, place, streamed)
    assert tuple({one: 0 for receipt in receipts for one in receipt.dropped}) == cell.dropped


def refuse(house: House, talk: Talk, place: Place, cell: Cell, streamed: bool) -> None:
    """The error names the member and whose API has no place for it; nothing was sent."""
    _, name, _ = place
    with pytest.raises(BadRequest) as no:
        talk(Asked(place, 1, streamed))
    assert f"`{cell.refused}` has no place in the target's API" in str(no.value)
    assert house.providers[name].heard == []
    assert house.receipts()[-1].error_code == "unsupported_parameter"


def refuse_theirs(house: House, talk: Talk, place: Place, streamed: bool) -> None:
    """What their API says of it is told as it came."""
    with pytest.raises(BadRequest, match="unavailable now"):
        talk(Asked(place, 1, streamed))
    assert house.receipts()[-1].error_code == "rejected_by_provider"


def hold_dropping(house: House, talk: Talk, place: Place, cell: Cell, streamed: bool) -> None:
    """By the rule `drop`, what would be refused is left out and named."""
    _, name, case = place
    house.forget()
    before = len(house.receipts())
    provider = house.providers[name]
    provider.answers = [ANSWERS[case][0]._replace(choices=1)]
    [answer] = talk(Asked(place, 1, streamed, f"{name}{LOOSE}"))
    assert provider.misunderstood == []
    assert answer.said.text == ANSWERS[case][0].text
    [heard] = provider.heard
    assert (heard.images, heard.any_json, heard.choices) == ([], False, 1)
    assert heard.texts == [said.QUESTION]
    [receipt] = house.receipts_after(before)
    assert receipt.dropped == [cell.refused]


def as_told(told: Said, caller: str, provider: str) -> Said:
    """What a client can be told of an answer."""
    tokens = told.tokens
    apart = provider not in ("bedrock", "cohere") and caller != "messages"
    if tokens.reasoning is not None and not apart:
        tokens = tokens._replace(output=tokens.output + tokens.reasoning, reasoning=None)
    if provider in TELLS_NO_WRITES:
        tokens = tokens._replace(written=0)
    told = told._replace(tokens=tokens)
    if not signs(caller, provider):
        told = told._replace(signature="")
    return told if shows(caller, provider) else told._replace(thought="")


def agree(heard: Said, expected: Said) -> None:
    """A signature may stand behind a mark that says whose it is."""
    assert heard.signature.rpartition(":")[2] == expected.signature
    assert heard._replace(signature="") == expected._replace(signature="")


def understood(heard: Heard, place: tuple[str, str, str], streamed: bool) -> None:
    """The first request of a conversation, in whatever wire."""
    caller, name, case = place
    assert heard.stream == streamed
    assert heard.model in (MODELS[name], None)
    ceiling = CALLERS[caller].asked(case)
    assert heard.ceiling_tokens in ceiling.values()
    assert heard.instructions == [said.INSTRUCTION]
    assert heard.texts[0] == said.QUESTION
    image = ("url", said.IMAGE_URL) if case == "image_url" else ("image/png", said.PNG)
    assert heard.images == ([image] if case in ("image", "image_url") else [])
    assert heard.documents == ([("application/pdf", said.PDF)] if case == "document" else [])
    tools = said.TOOLS if case in ("tools", "named", "reasoning") else {}
    if case == "named" and (name == "cohere" or (name == "llama_cpp" and caller != "chat")):
        tools = {"tide": said.TOOLS["tide"]}  # it takes no name: only that tool, and it must
        assert heard.must_call and heard.named is None
    else:
        assert heard.must_call == (case == "tools" and not heard.results)
        assert heard.named == ("tide" if case == "named" else None)
    assert heard.tools == tools
    assert heard.any_json == (case == "any_json")
    assert heard.thinks == (case == "reasoning")
    assert heard.stops == ([said.STOP] if case == "stop" else [])
    assert heard.choices == (2 if case == "choices" else 1)
    assert heard.cache_marks == (case == "cache" and takes_marks(caller, name))


def formed(schema: Any) -> None:
    """The schema of `said.Tide`, as the client has made it."""
    assert set(schema["properties"]) == set(schema["required"]) == {"place", "metres"}
    assert schema["properties"]["metres"]["type"] == "number"
    assert schema["additionalProperties"] is False


def takes_marks(caller: str, provider: str) -> bool:
    return passes(caller, provider) or provider in ("anthropic", "bedrock")


def came_back(provider: Provider, place: tuple[str, str, str], first: Said) -> None:
    """The second request: what was said, as it was said, and the results."""
    caller, name, case = place
    again = provider.heard[1]
    assert [call[1:] for call in again.calls] == [call[1:] for call in first.calls]
    assert [call.id for call in again.calls] == [call.id for call in first.calls]
    assert again.results == [(call.name, RESULTS[call.name]) for call in first.calls]
    if case == "structured":
        assert again.texts == [said.QUESTION, first.text, said.QUESTION]
    if case == "reasoning":
        assert again.signatures == ([said.SIGNATURE] if signs(caller, name) else [])
        assert again.thoughts == ([said.THOUGHT] if brings_thoughts(caller, name) else [])


def brings_thoughts(caller: str, provider: str) -> bool:
    """Gemini wants the signature back, and not what it proves."""
    if provider == "openai_compatible":
        return passes(caller, provider)
    return shows(caller, provider) and provider != "gemini"


def noted(receipt: Receipt, told: Said, place: tuple[str, str, str], streamed: bool) -> None:
    caller, name, case = place
    assert (receipt.dialect, receipt.stream) == (CALLERS[caller].DIALECT, streamed)
    assert (receipt.error_code, receipt.finish_reason) == (None, told.finish)
    if (name, case, streamed) == ("llama_cpp", "choices", False):
        # All that it says of tokens is of one choice: they are counted here.
        assert receipt.tokens_estimated
        return
    tokens = told.tokens
    if name in ("bedrock", "cohere") and tokens.reasoning is not None:
        tokens = tokens._replace(output=tokens.output + tokens.reasoning, reasoning=None)
    assert (receipt.input_tokens, receipt.cache_read_tokens or 0) == tokens[:2]
    assert (receipt.output_tokens, receipt.reasoning_tokens or None) == tokens[2:4]
    assert (receipt.cache_write_tokens or 0) == (0 if name in TELLS_NO_WRITES else tokens.written)
    assert not receipt.tokens_estimated and not receipt.usage_conflict
    assert receipt.cost_nanousd is not None
