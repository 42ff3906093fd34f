"""The simulated engine's endpoints beside texts, by the official client."""

import asyncio
from typing import Any

import openai
import pytest
from tests.text.test_wav import wav

from tidegate.sim.options import Options
from tidegate.sim.server import serve


def talk(coroutine: Any) -> None:
    async def main() -> None:
        running = await serve(Options(models=("m",)))
        client = openai.AsyncOpenAI(base_url=running.base_url, api_key="none", max_retries=0)
        try:
            await coroutine(client)
        finally:
            await client.close()
            await running.close()

    asyncio.run(main())


def test_every_endpoint_answers_the_official_client() -> None:
    async def all_of_them(client: openai.AsyncOpenAI) -> None:
        images = await client.images.generate(model="m", prompt="p", n=2)
        assert len(images.data or []) == 2
        edited = await client.images.edit(model="m", image=("a.png", b"x"), prompt="p")
        assert edited.data
        judged = await client.moderations.create(model="m", input=["hi", "a bomb"])
        assert [it.flagged for it in judged.results] == [False, True]
        spoken = await client.audio.speech.create(
            model="m", input="hello", voice="v", response_format="wav"
        )
        heard = await client.audio.transcriptions.create(model="m", file=("a.wav", spoken.content))
        assert heard.text == "0.3 seconds of audio."
        stream = await client.audio.transcriptions.create(
            model="m", file=("a.wav", wav(1.0)), stream=True
        )
        assert [event.type async for event in stream][-1] == "transcript.text.done"
        ranked = await client.post(
            "/rerank",
            cast_to=object,
            body={"model": "m", "query": "a", "documents": ["b", "a"]},
        )
        assert ranked["results"][0]["index"] == 1  # type: ignore[index]

    talk(all_of_them)


def test_what_is_wrong_is_refused_in_vllm_s_shape() -> None:
    async def wrong(client: openai.AsyncOpenAI) -> None:
        for ask in (
            client.images.generate(model="m", prompt="p", n=99),
            client.audio.speech.create(model="m", input="a", voice="v", response_format="mp3"),
            client.post("/audio/transcriptions", cast_to=object, body={}),
            client.post("/images/edits", cast_to=object, body={"model": "m"}),
        ):
            with pytest.raises(openai.BadRequestError):
                await ask
        with pytest.raises(openai.NotFoundError):
            await client.moderations.create(model="other", input="x")

    talk(wrong)
