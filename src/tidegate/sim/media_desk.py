"""The simulated engine's endpoints beside texts: each from its body to its last byte."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec

from tidegate.gateway.http.reader import Incoming
from tidegate.sim import asked as ask
from tidegate.sim import media
from tidegate.sim.asked import Problem
from tidegate.sim.outlet import Outlet

_PIECES: Final = 4
_encode: Final = msgspec.json.Encoder().encode


class Call(Protocol):
    """One request on its way through the server."""

    incoming: Incoming


Admit = Callable[[Any, str | None, bool], Awaitable[Outlet]]


class MediaDesk:
    """`admit` checks key and model, and lets a fault have its say."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self.ways: dict[bytes, Callable[[Any], Awaitable[None]]] = {
            b"/v1/rerank": self._rerank,
            b"/v1/moderations": self._moderate,
            b"/v1/images/generations": self._draw,
            b"/v1/images/edits": self._edit,
            b"/v1/images/variations": self._edit,
            b"/v1/audio/speech": self._speak,
            b"/v1/audio/transcriptions": self._transcribe,
            b"/v1/audio/translations": self._transcribe,
        }

    async def _rerank(self, call: Call) -> None:
        asked: media.Rerank = ask.read(call.incoming.body, media.Rerank)
        outlet = await self._admit(call, asked.model, False)
        await outlet.whole(200, _encode({**media.rank(asked), "model": asked.model}))

    async def _moderate(self, call: Call) -> None:
        asked: media.Moderation = ask.read(call.incoming.body, media.Moderation)
        outlet = await self._admit(call, asked.model, False)
        await outlet.whole(200, _encode(media.moderate(asked)))

    async def _draw(self, call: Call) -> None:
        asked: media.Images = ask.read(call.incoming.body, media.Images)
        outlet = await self._admit(call, asked.model, asked.stream)
        await self._images(asked, outlet)

    async def _edit(self, call: Call) -> None:
        form = media.form_of(call.incoming)
        fields = media.fields_of(form)
        if all(part.filename is None for part in form.parts):
            raise Problem(400, "image is missing", "image")
        count = fields.get("n", "1")
        asked = media.Images(
            prompt=fields.get("prompt", ""),
            model=fields.get("model"),
            n=int(count) if count.isdigit() else 0,
            size=fields.get("size", "1024x1024"),
            stream=fields.get("stream") == "true",
        )
        outlet = await self._admit(call, asked.model, asked.stream)
        await self._images(asked, outlet)

    async def _images(self, asked: media.Images, outlet: Outlet) -> None:
        drawn = media.draw(asked.n)
        told = {"size": asked.size, "quality": asked.quality}
        if not asked.stream:
            await outlet.whole(200, _encode({"created": 0, "data": drawn, **told}))
            return
        await outlet.start(())
        for one in drawn:
            part = {"type": "image_generation.partial_image", "partial_image_index": 0}
            await outlet.events([_encode({**part, **one, **told})])
            await outlet.events([_encode({"type": "image_generation.completed", **one, **told})])
        await outlet.end(())

    async def _speak(self, call: Call) -> None:
        asked: media.Speech = ask.read(call.incoming.body, media.Speech)
        outlet = await self._admit(call, asked.model, True)
        spoken, kind = media.speak(asked)
        if asked.stream_format != "sse":
            await outlet.raw(kind, spoken)
            return
        await outlet.start(())
        step = len(spoken) // _PIECES + 1
        for at in range(0, len(spoken), step):
            part = base64.b64encode(spoken[at : at + step]).decode()
            await outlet.events([_encode({"type": "speech.audio.delta", "audio": part})])
        heard, said = max(len(asked.input) // 4, 1), max(len(spoken) // 400, 1)
        usage = {"input_tokens": heard, "output_tokens": said, "total_tokens": heard + said}
        await outlet.events([_encode({"type": "speech.audio.done", "usage": usage})])
        await outlet.end(())

    async def _transcribe(self, call: Call) -> None:
        heard = media.hear(media.form_of(call.incoming))
        outlet = await self._admit(call, heard.model, heard.stream)
        if not heard.stream:
            body, kind = media.transcript(heard)
            await outlet.typed(kind, body)
            return
        said = media.said_in(heard)
        await outlet.start(())
        for word in said.split(" "):
            await outlet.events([_encode({"type": "transcript.text.delta", "delta": f"{word} "})])
        usage = {"type": "duration", "seconds": round(heard.audio_s, 3)}
        done = {"type": "transcript.text.done", "text": said, "usage": usage}
        await outlet.events([_encode(done)])
        await outlet.end(())
