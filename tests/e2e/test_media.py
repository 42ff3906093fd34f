"""What is no chat, by the official client and by the commands of docs/media.md, through a real
gateway to the simulated engine: what comes is what was asked for, and the receipts say its cost."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from tests.gateway.rig import Gateway, gateway, run, spawn, target
from tests.text.test_wav import wav

from tidegate.config.load import compile_file
from tidegate.core.price import Price
from tidegate.core.receipt import Receipt
from tidegate.sim.options import Options
from tidegate.sim.server import serve
from tidegate.text.wav import wav_s

PAGE = Path(__file__).resolve().parents[2] / "docs" / "media.md"
COMMANDS = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
[_PLAN] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def price() -> Price:
    """As the page declares it."""
    compiled = compile_file(_PLAN.encode(), {}, 1, 1_790_000_000.0)
    assert compiled.plan is not None, compiled.problems
    found = compiled.plan.targets["media"].price
    assert found is not None
    return found


PRICE = price()


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Gateway]:
    sim = await serve(Options(models=("sim-media",)))
    media = target(sim.port, "media", dialect="sim", model="sim-media", price=PRICE)
    try:
        async with gateway(folder, media) as it:
            yield it
    finally:
        await sim.close()


def called(tmp_path: Path, call: Any) -> list[Receipt]:
    """What `call` does with the official client, and the receipts of it."""
    receipts: list[Receipt] = []

    async def main() -> None:
        async with served(tmp_path) as it:
            url = f"http://127.0.0.1:{it.address[1]}/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key=it.key, max_retries=0) as client:
                await call(client)
            receipts.extend(it.receipts())

    run(main())
    return receipts


def test_images_by_the_official_client(tmp_path: Path) -> None:
    async def call(client: openai.AsyncOpenAI) -> None:
        of: Any = {"model": "media", "size": "1024x1024", "quality": "hd"}
        made = await client.images.generate(prompt="a gate", n=2, **of)
        assert len(made.data or []) == 2
        edited = await client.images.edit(
            model="media", image=[("a.png", b"1"), ("b.png", b"2")], prompt="by night"
        )
        assert edited.data and edited.data[0].b64_json
        stream = await client.images.generate(prompt="a gate", stream=True, **of)
        kinds = [event.type async for event in stream]
        assert kinds == ["image_generation.partial_image", "image_generation.completed"]

    costs = [(it.endpoint, it.images, it.cost_nanousd) for it in called(tmp_path, call)]
    assert costs == [
        ("images", 2, 160_000_000),
        ("image_edits", 1, 40_000_000),
        ("images", 1, 80_000_000),
    ]


def test_speech_by_the_official_client_as_it_comes(tmp_path: Path) -> None:
    text = "The gate is open. " * 200

    async def call(client: openai.AsyncOpenAI) -> None:
        speaking = client.audio.speech.with_streaming_response
        of: Any = {"model": "media", "voice": "any", "response_format": "wav"}
        async with speaking.create(input=text, **of) as answer:
            parts = [part async for part in answer.iter_bytes(64 * 1024)]
        assert answer.headers["content-type"] == "audio/wav" and len(parts) > 5
        spoken_s = wav_s(memoryview(b"".join(parts)))
        assert spoken_s == pytest.approx(len(text) / 15)
        async with speaking.create(input="hi", stream_format="sse", **of) as answer:
            events = [line async for line in answer.iter_lines() if line.startswith("data: {")]
        assert "speech.audio.done" in events[-1]

    spoken, told = called(tmp_path, call)
    assert (spoken.characters, spoken.cost_nanousd) == (len(text), len(text) * 15_000)
    assert (spoken.output_bytes or 0) > 1_000_000 and spoken.ttft_s is not None
    assert (told.input_tokens, told.cost_nanousd) == (1, 30_000)


def test_transcripts_by_the_official_client_in_every_form(tmp_path: Path) -> None:
    async def call(client: openai.AsyncOpenAI) -> None:
        hear = client.audio.transcriptions.create
        for form in ("json", "verbose_json", "text", "srt", "vtt"):
            of: Any = {"model": "media", "response_format": form}
            heard: Any = await hear(file=("a.wav", wav(3.0)), **of)
            assert "3.0 seconds" in (heard if isinstance(heard, str) else heard.text)
        stream = await hear(model="media", file=("a.wav", wav(3.0)), stream=True)
        kinds = [event.type async for event in stream]
        assert set(kinds[:-1]) == {"transcript.text.delta"} and kinds[-1] == "transcript.text.done"
        with pytest.deprecated_call():
            translated = await client.audio.translations.create(
                model="media", file=("a.wav", wav(3.0))
            )
        assert translated.text.startswith("3.0")
        with pytest.raises(openai.BadRequestError) as refused:
            await hear(model="media", file=("a.wav", b""))
        assert refused.value.param == "file"

    *heard, refused = called(tmp_path, call)
    assert {(it.audio_s, it.cost_nanousd) for it in heard} == {(3.0, 300_000)}
    assert (refused.error_code, refused.cost_nanousd) == ("invalid_parameter", 0)


def test_moderations_and_rankings(tmp_path: Path) -> None:
    async def call(client: openai.AsyncOpenAI) -> None:
        judged = await client.moderations.create(model="media", input=["hi", "a bomb"])
        assert [it.flagged for it in judged.results] == [False, True]
        body = {"model": "media", "query": "red cats", "documents": ["dogs", {"text": "red cats"}]}
        ranked: Any = await client.post("/rerank", cast_to=object, body=body)
        assert [it["index"] for it in ranked["results"]] == [1, 0]

    judged, ranked = called(tmp_path, call)
    assert judged.tokens_estimated and judged.cost_nanousd
    assert (ranked.documents, ranked.input_tokens) == (2, 7)
    # It tells tokens, and its price is by searches.
    assert (ranked.cost_nanousd, ranked.most_nanousd) == (None, 2_000_000)


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    assert len(COMMANDS) == 6
    (tmp_path / "gate.png").write_bytes(b"\x89PNG")

    async def main() -> None:
        async with served(tmp_path / "house") as it:
            environ = {"TIDEGATE": f"http://127.0.0.1:{it.address[1]}", "KEY": it.key}
            environ["PATH"] = "/usr/bin:/bin"
            told = []
            for command in COMMANDS:
                shell = ("sh", "-c", command.replace("curl -s ", "curl -sS --fail-with-body "))
                pipe = asyncio.subprocess.PIPE
                child = await spawn(*shell, env=environ, cwd=tmp_path, stdout=pipe)
                out, _ = await child.communicate()
                assert child.returncode == 0, (command, out)
                told.append(out)
            assert msgspec.json.decode(told[0])["results"][0]["index"] == 1
            assert msgspec.json.decode(told[1])["results"][0]["flagged"]
            assert b"b64_json" in told[2] and b"b64_json" in told[3]
            assert (tmp_path / "speech.wav").read_bytes().startswith(b"RIFF")
            assert told[5].startswith(b"1\n00:00:00,000 --> ")
            assert [one.status for one in it.receipts()] == [200] * 6
            assert [one.cost_nanousd for one in it.receipts()[2:5]] == [
                80_000_000,
                40_000_000,
                17 * 15_000,
            ]

    run(main())
