"""Models on AWS Bedrock, by its Converse API.

Nobody calls Tidegate in this dialect: everything goes through the common middle. A target with an
`api_key` sends it as a bearer token (a Bedrock API key); one without is signed with the machine's
own key. The region is in the address, or with the key.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from tidegate.core import clock
from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.credential import Addressed, SigningKey
from tidegate.core.embeddings import Embedder
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Target
from tidegate.core.plugs import Passthrough, Signer
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Spoken
from tidegate.providers import _bedrock_answer, _bedrock_error
from tidegate.providers._bedrock_models import traits_of
from tidegate.providers._bedrock_request import Body
from tidegate.providers._bedrock_stream import BedrockReader
from tidegate.providers._prefix_marks import marked
from tidegate.providers._sigv4 import Scope, Signed, sign

_API = "bedrock"
_REGION = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z]{2}[a-z0-9-]*-\d+)\.")
_encode = msgspec.json.Encoder().encode


class AwsSigner:
    """core.plugs.Signer for Bedrock's requests."""

    bearer_variable = "AWS_BEARER_TOKEN_BEDROCK"

    def sign(
        self, outgoing: Outgoing, to: Addressed, key: SigningKey, now_s: float
    ) -> tuple[tuple[str, str], ...]:
        region = region_of(to.host) or key.region
        if region is None:
            message = "no AWS region is known for this route: set AWS_REGION"
            raise Refusal("credential_missing", message)
        path = to.path + outgoing.path.decode()
        headers = (*to.headers, *outgoing.headers)
        request = Signed("POST", to.host, path, headers, outgoing.body)
        return tuple(sign(request, key, Scope(region, _API), now_s))


class Bedrock:
    """core.plugs.Provider."""

    base_url: str | None = None
    address_form = "https://bedrock-runtime.REGION.amazonaws.com"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    passthrough: Mapping[str, Passthrough] = {}
    headers: tuple[tuple[str, str], ...] = ()
    signer: Signer | None = AwsSigner()
    embedder: Embedder | None = None

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "authorization", f"Bearer {secret}"

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        """The model stands in the path, percent-encoded: its id may be an ARN."""
        traits = traits_of(target.model)
        if ask.prefix_ttl is not None and traits.claude:
            said = marked(said, traits.claude, ask.prefix_ttl, on_bedrock=True)
        losses = Losses(said, _API, drop=drop)
        ceiling_tokens = ask.output_bound_tokens or said.ceiling_tokens
        body = Body(said, losses, traits).write(ceiling_tokens)
        verb = "converse-stream" if ask.stream else "converse"
        path = f"/model/{quote(target.model, safe='')}/{verb}"
        return Outgoing(path.encode(), _encode(body), dropped=tuple(losses.names))

    def spoken_reader(self, ask: Ask) -> BedrockReader:
        return BedrockReader(traits_of(ask.model_sent).seals)

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        return _bedrock_answer.read_spoken(body, traits_of(ask.model_sent).seals)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return _bedrock_error.fault(status, headers, body, clock.wall_s())


def region_of(host: str) -> str | None:
    """The region that one of AWS's own addresses is in, a VPC's endpoint among them."""
    match = _REGION.search(host)
    return None if match is None else match[1]


plug = Bedrock()
