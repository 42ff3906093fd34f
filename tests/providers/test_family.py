"""Providers of a few lines on OpenAI's wire: each loads, stands where its maker has it, and holds a
chat, whole and streamed, with its usage, through a real gateway. Bytes of one stand for all."""

from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Raw
from tests.core.plans import complaints
from tests.dialects.grammar import ask_of, target
from tests.gateway.fault_rig import Kept, kept
from tests.gateway.provider_wires import CHAT, INPUT_TOKENS, OUTPUT_TOKENS, TEXTS
from tests.gateway.rig import target as target_at
from tests.providers.chatting import CHATTING
from tests.providers.family import ALIKE, CODECS, READ_AS_ANOTHER
from tests.tidy.sizes import MOST_LINES_OF_KIN

from tidegate.core import plugs
from tidegate.core.address import parse_url
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.declared import Declared
from tidegate.core.declared_providers import NO_CREDENTIAL, DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.facts import Dialects
from tidegate.core.plan import Release, Replica, Route
from tidegate.core.resilience import Retry
from tidegate.providers.openai_compatible import Anything

FOLDER: Final = Path(plugs.__file__).parents[1] / "providers"
BYTES: Final = Path(__file__).parents[1] / "bytes"
ALL: Final = "chat completions embeddings"
IMAGES: Final = "images image_edits image_variations"
SPOKEN: Final = "speech transcriptions"
AUDIO: Final = f"{SPOKEN} translations"
EVERYTHING: Final = " ".join(sorted(Anything.endpoints))
# Of each: its public address, as its maker has published it, and what it serves there.
KNOWN: Final[dict[str, tuple[str | None, str]]] = {
    "any_llm": ("http://127.0.0.1:4011/v1", "chat embeddings"),
    "baseten": ("https://inference.baseten.co/v1", "chat"),
    "cerebras": ("https://api.cerebras.ai/v1", "chat completions"),
    "cloudflare": (None, "chat embeddings"),
    "dashscope": ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "chat embeddings"),
    "databricks": (None, "chat embeddings"),
    "deepinfra": ("https://api.deepinfra.com/v1/openai", f"{ALL} {IMAGES} {AUDIO}"),
    "deepseek": ("https://api.deepseek.com/v1", "chat"),
    "featherless": ("https://api.featherless.ai/v1", "chat completions"),
    "fireworks": ("https://api.fireworks.ai/inference/v1", f"{ALL} rerank"),
    "friendli": ("https://api.friendli.ai/serverless/v1", "chat completions"),
    "github_models": ("https://models.github.ai/inference", "chat embeddings"),
    "groq": ("https://api.groq.com/openai/v1", f"chat {AUDIO}"),
    "hugging_face": ("https://router.huggingface.co/v1", "chat"),
    "hyperbolic": ("https://api.hyperbolic.xyz/v1", "chat completions"),
    "litellm_proxy": (None, EVERYTHING),
    "lm_studio": ("http://127.0.0.1:1234/v1", ALL),
    "minimax": ("https://api.minimax.io/v1", "chat"),
    "moonshot": ("https://api.moonshot.ai/v1", "chat"),
    "nebius": ("https://api.tokenfactory.nebius.com/v1", f"{ALL} images"),
    "novita": ("https://api.novita.ai/openai/v1", f"{ALL} rerank"),
    "nscale": ("https://inference.api.nscale.com/v1", "chat embeddings images"),
    "nvidia_nim": ("https://integrate.api.nvidia.com/v1", f"{ALL} rerank"),
    "ollama": ("http://127.0.0.1:11434/v1", ALL),
    "openrouter": ("https://openrouter.ai/api/v1", f"{ALL} {SPOKEN} images rerank"),
    "ovhcloud": (
        "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
        "chat embeddings transcriptions",
    ),
    "perplexity": ("https://api.perplexity.ai", "chat"),
    "sambanova": ("https://api.sambanova.ai/v1", "chat embeddings"),
    "scaleway": ("https://api.scaleway.ai/v1", "chat embeddings rerank transcriptions"),
    "sglang": ("http://127.0.0.1:30000/v1", f"{ALL} rerank transcriptions"),
    "sim": ("http://127.0.0.1:8190/v1", EVERYTHING),
    "siliconflow": ("https://api.siliconflow.com/v1", f"chat embeddings rerank {SPOKEN}"),
    "tgi": ("http://127.0.0.1:3000/v1", "chat completions"),
    "together": ("https://api.together.xyz/v1", f"{ALL} {AUDIO} images rerank"),
    "vercel_ai_gateway": ("https://ai-gateway.vercel.sh/v1", "chat embeddings"),
    "vllm": ("http://127.0.0.1:8000/v1", f"{ALL} rerank transcriptions translations"),
    "volcengine": ("https://ark.cn-beijing.volces.com/api/v3", "chat embeddings"),
    "xai": ("https://api.x.ai/v1", "chat images"),
    "zai": ("https://api.z.ai/api/paas/v4", "chat embeddings images transcriptions"),
}
OWN: Final = {"litellm_proxy", "lm_studio", "ollama", "sglang", "sim", "tgi", "vllm"}


def of_few_lines() -> set[str]:
    return {
        file.stem
        for file in FOLDER.glob("[a-z]*.py")
        if file.stem in CHATTING and len(file.read_text().splitlines()) <= MOST_LINES_OF_KIN
    }


def test_each_provider_of_a_few_lines_is_known_here() -> None:
    assert set(KNOWN) == of_few_lines()
    assert set(ALIKE) <= set(KNOWN) and not set(ALIKE) & set(CODECS)


@pytest.mark.parametrize("name", KNOWN)
def test_where_it_stands_and_what_it_serves(name: str) -> None:
    plug = plugs.load("providers", name)
    base_url, endpoints = KNOWN[name]
    assert (plug.base_url, plug.endpoints) == (base_url, {*endpoints.split()})
    assert plug.hosted == (name not in OWN)
    assert plug.credential_header("k") == ("authorization", "Bearer k")
    if base_url is not None:
        far = plug.hosted and name != "any_llm"  # which is asked on this machine, and asks others
        assert parse_url(base_url)[0] == ("https" if far else "http")
    assert plug.embedder is not None or plug.passthrough


@pytest.mark.parametrize("name", KNOWN)
def test_what_it_is_asked_in_another_s_words(name: str) -> None:
    """Callers of other dialects: the ceiling under its own name, usage asked for."""
    plug = plugs.load("providers", name)
    said = Conversation([Turn("user", (Text("hi"),))], ceiling_tokens=9, stream=True)
    ask = ask_of({"messages": []}, "anthropic_messages", stream=True)
    sent = plug.encode_conversation(said, ask, target(), False)
    assert sent.path == b"/chat/completions"
    assert b'"%b":9' % plug.manners.ceiling.encode() in sent.body
    assert b'"include_usage":true' in sent.body


@pytest.mark.parametrize("name", [it for it in KNOWN if plugs.load("providers", it).one_ceiling])
@pytest.mark.parametrize("bound", [None, 5])
def test_a_ceiling_of_another_name_is_a_ceiling(name: str, bound: int | None) -> None:
    plug = plugs.load("providers", name)
    for members in (
        {"max_completion_tokens": 9},
        {"max_tokens": None, "max_completion_tokens": 9},
        {"max_completion_tokens": 9, "max_tokens": None},
    ):
        ask = ask_of({"messages": [], **members}, output_bound_tokens=bound)
        body = plug.encode(ask, target()).body
        assert b'"max_tokens":%d' % (bound or 9) in body and body.count(b"_tokens") == 1
    both = ask_of({"messages": [], "max_tokens": 3, "max_completion_tokens": 9})
    assert b'"max_tokens":3,"max_completion_tokens":9' in plug.encode(both, target()).body
    none = ask_of({"model": "their-model", "messages": []})
    assert plug.encode(none, target()).body.count(b"_tokens") == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with kept(tmp_path_factory.mktemp("family"), ("openai_compatible",)) as it:
        yield it


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ALIKE)
def test_a_chat_passes_with_its_usage(running: Kept, name: str, streamed: bool) -> None:
    running.run(chat(running, name, streamed))


async def chat(running: Kept, name: str, streamed: bool) -> None:
    rig = running.rig
    prefix = parse_url(KNOWN[name][0] or "https://h/v1")[3]
    replica = Replica("r", "http", "127.0.0.1", rig.up.port, prefix)
    one = target_at(rig.up.port, name, dialect=name, model="their/model", replicas=(replica,))
    await rig.add(Route(name, Release(f"{name}@1", one), retry=Retry(attempts=1)))
    await rig.act([CHAT.streamed(CHAT.stream()) if streamed else CHAT.answered()])
    body: dict[str, Any] = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    reply = await rig.it.ask("/v1/chat/completions", {**body, "stream": streamed})
    assert (reply.status, reply.whole) == (200, True)
    assert all(text.encode() in reply.body for text in TEXTS) or not streamed
    receipt = await rig.settled()
    assert (receipt.target, receipt.finish_reason, receipt.stream) == (name, "stop", streamed)
    assert (receipt.input_tokens, receipt.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert not receipt.tokens_estimated and receipt.cost_nanousd
    sent = rig.up.exchanges[-1]
    assert sent.path == prefix.encode() + b"/chat/completions"
    assert sent.json["model"] == "their/model"
    assert (sent.json.get("stream_options") == {"include_usage": True}) == streamed


def test_a_member_of_its_own_is_named_nowhere_else() -> None:
    """Only a dialect that has such members lets them by."""
    said = Conversation([Turn("user", (Text("hi"),))], unread={"safe_prompt": Raw(b"true")})
    for name in ALIKE:
        assert plugs.load("providers", name).own_members == frozenset()
    sent = plugs.load("providers", "mistral").encode_conversation(
        said, ask_of({"messages": []}), target(), False
    )
    assert b'"safe_prompt":true' in sent.body and sent.dropped == ()


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("cloudflare", "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1"),
        ("databricks", "https://WORKSPACE.cloud.databricks.com/serving-endpoints"),
        ("litellm_proxy", "http://HOST:4000/v1"),
        ("azure_openai", "https://NAME.openai.azure.com/openai/v1"),
        ("bedrock", "https://bedrock-runtime.REGION.amazonaws.com"),
        ("openai_compatible", "http://HOST/v1"),
    ],
)
def test_a_plan_without_an_address_is_told_what_to_write(name: str, form: str) -> None:
    providers = {"p": DeclaredProvider(kind=name, api_key=NO_CREDENTIAL)}
    targets = {"t": DeclaredTarget("p", "m", price="free")}
    plan = Declared(providers=providers, targets=targets, routes={"r": DeclaredRoute("t")})
    found = complaints(plan, dialects=Dialects())
    assert found["providers.p"] == f'"p" has no address; write `base_url: {form}`'


@pytest.mark.parametrize("name", READ_AS_ANOTHER)
def test_its_own_bytes_are_read_as_another_s(name: str) -> None:
    stream = (BYTES / name / "chat.sse").read_bytes()
    plug = plugs.load("providers", name)
    reader = plug.chunks(ask_of({"messages": []}, stream=True, include_usage=True))
    shown = reader.feed(stream)
    assert reader.end() is None and reader.finished and not reader.usage.conflict
    assert b"tide" in reader.text() and b"tide" in shown
    unasked = plug.chunks(ask_of({"messages": []}, stream=True))
    assert b'"usage"' not in unasked.feed(stream) and unasked.usage == reader.usage
