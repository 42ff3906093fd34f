"""OpenAI's wire as Azure serves it: other paths, the header `api-key`, and a content filter.

A base URL that ends in `/v1` (`https://NAME.openai.azure.com/openai/v1`) is the API without
versions: the deployment is the body's model. Any other (`https://NAME.openai.azure.com`, with or
without `/openai` or a deployment's path) is the dated API: the deployment stands in the path, and
its version is the provider's header `api-version` in the plan, or the newest that is not a preview.
All replicas of a target are of one kind. A price is found by the deployment's name, so name it
after its model or declare the price.

What the filter found is passed on in chunks and answers; a prompt that it blocks is a failure of
kind `refused_by_safety`.
"""

from urllib.parse import quote

from msgspec import structs

from tidegate.core.ask import MEDIA, Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Target
from tidegate.core.plugs import BatchWire, Passthrough
from tidegate.core.receipt import OPENAI_CHAT, Endpoint
from tidegate.providers._media import Media
from tidegate.providers.openai import OpenAI
from tidegate.providers.openai_compatible import PATHS, Batches

API_VERSION = "2024-10-21"


class AzureBatches(Batches):
    """Deployments of the kind Global Batch; files lie beside deployments, not below one."""

    def path(self, target: Target, path: bytes, query: bytes = b"") -> bytes:
        prefix = target.replicas[0].path
        if prefix.endswith("/v1"):
            return super().path(target, path, query)
        if "/deployments/" in prefix:
            message = "a target whose address names a deployment takes no files of requests"
            raise Refusal("invalid_request", message, param="model")
        dated = f"api-version={quote(_version(target))}".encode()
        beside = path if prefix.endswith("/openai") else b"/openai" + path
        return super().path(target, beside, dated + b"&" + query if query else dated)

    def url(self, endpoint: Endpoint) -> str:
        return PATHS[endpoint].decode()


class _PlacedMedia(Media):
    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return _placed(super().encode(ask, target), target)


class AzureOpenAI(OpenAI):
    base_url = None
    batches: BatchWire | None = AzureBatches(price_share=0.5)
    address_form = "https://NAME.openai.azure.com/openai/v1"
    cloud = "azure"
    endpoints = OpenAI.endpoints - {"moderations"}
    media: Passthrough = _PlacedMedia()

    def __init__(self) -> None:
        # Its dated API, which is most of what is deployed, has no Responses.
        self.passthrough = {OPENAI_CHAT: self, MEDIA: self.media}

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        return _placed(super().encode(ask, target), target)

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        return _placed(super().encode_conversation(said, ask, target, drop), target)

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "api-key", secret


def _placed(outgoing: Outgoing, target: Target) -> Outgoing:
    """The same request where this target takes it."""
    prefix = target.replicas[0].path
    if prefix.endswith("/v1"):
        return outgoing
    path = outgoing.path.decode()
    if "/deployments/" not in prefix:
        path = f"/deployments/{quote(target.model, safe='')}{path}"
        if not prefix.endswith("/openai"):
            path = f"/openai{path}"
    return structs.replace(outgoing, path=f"{path}?api-version={quote(_version(target))}".encode())


def _version(target: Target) -> str:
    return dict(target.headers).get("api-version", API_VERSION)


plug = AzureOpenAI()
