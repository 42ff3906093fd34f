"""Embeddings and counted tokens, by the official clients at each kind of provider."""

from typing import Any

import openai
import pytest
from tests.sdks import embeddings_wire, said
from tests.sdks.embeddings_wire import TEXTS, TOKENS, VECTORS
from tests.sdks.house import House
from tests.sdks.matrix import PROVIDERS, counts, embeds

COUNTED = b'{"input_tokens":4321}'


@pytest.mark.parametrize("packed", [True, False], ids=["base64", "floats"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_embeddings(house: House, name: str, packed: bool) -> None:
    house.forget()
    provider = house.providers[name]
    own = {"gemini": embeddings_wire.of_gemini, "cohere": embeddings_wire.of_cohere}
    made = own[name]() if name in own else embeddings_wire.answer(packed and name != "mistral")
    provider.answers = [made]
    form = openai.omit if packed else "float"
    if not embeds(name):
        with pytest.raises(openai.BadRequestError, match="does not serve embeddings"):
            house.openai.embeddings.create(model=name, input=TEXTS, encoding_format=form)
        assert provider.heard == []
        return
    told = house.openai.embeddings.create(model=name, input=TEXTS, encoding_format=form)
    assert provider.misunderstood == []
    assert [one.embedding for one in told.data] == VECTORS
    assert [one.index for one in told.data] == [0, 1]
    assert told.usage.prompt_tokens == told.usage.total_tokens == TOKENS
    assert provider.heard[0].texts == TEXTS
    receipt = house.receipts()[-1]
    assert (receipt.endpoint, receipt.error_code) == ("embeddings", None)
    assert (receipt.input_tokens, receipt.output_tokens) == (TOKENS, None)
    assert not receipt.tokens_estimated


@pytest.mark.parametrize("name", PROVIDERS)
def test_tokens_are_counted(house: House, name: str) -> None:
    """By the provider, where it does that for nothing; otherwise here, which a header says."""
    house.forget()
    provider = house.providers[name]
    provider.answers = [COUNTED]
    few = counted(house, name, said.QUESTION)
    assert provider.misunderstood == []
    if counts(name):
        assert few.parse().input_tokens == 4321
        assert provider.heard[0].texts == [said.QUESTION]
        assert provider.heard[0].tools == said.TOOLS
        return
    many = counted(house, name, said.QUESTION * 50)
    assert 0 < few.parse().input_tokens < 200 < many.parse().input_tokens
    assert few.headers["x-tidegate-tokens"] == "estimated"
    assert provider.heard == []


def counted(house: House, name: str, text: str) -> Any:
    return house.anthropic.messages.with_raw_response.count_tokens(
        model=name,
        system=said.INSTRUCTION,
        messages=[{"role": "user", "content": text}],
        tools=[{"name": one, "input_schema": it} for one, it in said.TOOLS.items()],
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_tokens_of_responses_are_counted_here(house: House, name: str) -> None:
    house.forget()
    count = house.openai.responses.input_tokens.count
    few, many = (
        count(model=name, instructions=said.INSTRUCTION, input=said.QUESTION * times)
        for times in (1, 50)
    )
    assert few.object == "response.input_tokens"
    assert 0 < few.input_tokens < 200 < many.input_tokens
    assert house.providers[name].heard == []
