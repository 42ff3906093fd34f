"""Models on Google's Vertex AI, each in its publisher's wire, which its name tells:

| name in the plan | wire |
|---|---|
| `gemini-2.5-flash`, `google/NAME`, `endpoints/ID` (which the account has tuned) | Gemini's |
| `text-embedding-005`, `gemini-embedding-001` | Vertex's `predict` |
| `gemini-embedding-2` and later | Gemini's embeddings |
| `claude-sonnet-4-5@20250929`, `anthropic/NAME` | Anthropic's Messages by `rawPredict` |
| `mistral-small-2503`, `mistralai/NAME` | Mistral's chat by `rawPredict` |
| `meta/llama-3.3-70b-instruct-maas`, any other `PUBLISHER/NAME` | OpenAI's chat |

The address says project and location:
`https://REGION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/REGION`, or
`https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global`. A credential is an
identity of Google's cloud; an API key (express mode) goes by its own header.
"""

import re
from typing import Any, Final

from tidegate.core.plugs import Provider
from tidegate.providers._vertex_claude import VertexClaude
from tidegate.providers._vertex_gemini import VertexGemini
from tidegate.providers._vertex_open import VertexMistral, VertexOpen

_WHOLE: Final = re.compile(r"publishers/([a-z0-9-]+)/models/(.+)")
_MISTRALS: Final = re.compile(r"(?:mistral|ministral|mixtral|codestral|magistral|devstral)\b")


class Vertex(VertexGemini):
    """core.plugs.Publishers; by itself it is Gemini, most of what is asked there."""

    address_form = "https://REGION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/REGION"
    cloud = "google"

    def __init__(self) -> None:
        # As plugs are loaded: their readers are none of the protocol's to a type checker.
        self._claude: Any = VertexClaude()
        self._mistral: Any = VertexMistral()
        self._open: Any = VertexOpen()

    def of_model(self, model: str) -> Provider:
        publisher = publisher_of(model)
        own: dict[str, Any] = {
            "google": self,
            "anthropic": self._claude,
            "mistralai": self._mistral,
        }
        provider: Provider = own.get(publisher, self._open)
        return provider


def publisher_of(model: str) -> str:
    whole = _WHOLE.fullmatch(model)
    if whole is not None:
        return whole[1]
    before, slash, _ = model.partition("/")
    if slash:
        return "google" if before == "endpoints" else before
    if model.startswith("claude"):
        return "anthropic"
    return "mistralai" if _MISTRALS.match(model) else "google"


plug = Vertex()
