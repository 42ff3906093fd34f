"""Which client library, in which dialect, reaches what at which provider, and how that is known.

`test_matrix.py` holds every cell against the official clients; `python -m tests.sdks` writes them
into docs/providers.md.
"""

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from tests.sdks import chat_caller, messages_caller, responses_caller
from tests.sdks.said import CASES

BYTES = Path(__file__).resolve().parent.parent / "bytes"
CALLERS: dict[str, ModuleType] = {
    "chat": chat_caller,
    "responses": responses_caller,
    "messages": messages_caller,
}
PROVIDERS = (
    "openai",
    "azure_openai",
    "anthropic",
    "bedrock",
    "gemini",
    "vllm",
    "llama_cpp",
    "openai_compatible",
    "sglang",
    "deepseek",
    "mistral",
    "cohere",
)
OF_OPENAIS_SHAPE = (
    *("openai", "azure_openai", "vllm", "llama_cpp", "openai_compatible"),
    *("sglang", "deepseek"),
)
# What a dialect has no words for.
UNSAID = {
    "chat": (),
    "responses": ("stop", "cache", "choices"),
    "messages": ("any_json", "choices"),
}


_REASONING = {"responses": "input[].encrypted_content", "messages": "messages[].thinking"}


# What tests/bytes holds of real engines: the answers of a conversation, turn by turn.
_RECORDED = {
    ("vllm", "text"): ("chat",),
    ("vllm", "tools"): ("called", "chat"),
    ("vllm", "structured"): ("formed", "chat"),
    ("llama_cpp", "text"): ("chat",),
    ("llama_cpp", "tools"): ("called", "chat"),
    ("llama_cpp", "structured"): ("formed", "chat"),
}


class Cell(NamedTuple):
    """`refused` is the member that the error names, `dropped` those that are left out and named,
    by turn. `recorded` says of which answer a real engine wrote the bytes. `by_them`: it is the
    provider that refuses, what came being passed on as it was."""

    refused: str | None = None
    dropped: tuple[str, ...] = ()
    recorded: bool = False
    by_them: bool = False


def passes(caller: str, provider: str) -> bool:
    """The provider takes the caller's bytes as they are."""
    if caller == "messages":
        return provider == "anthropic"
    return provider in (OF_OPENAIS_SHAPE if caller == "chat" else ("openai",))


def signs(caller: str, provider: str) -> bool:
    """Reasoning comes signed or sealed, and goes back so."""
    return provider in ("anthropic", "bedrock", "gemini") or (caller, provider) == (
        "responses",
        "openai",
    )


def shows(caller: str, provider: str) -> bool:
    """What the model thought is told."""
    return provider not in ("openai", "azure_openai") or signs(caller, provider)


def _refused(caller: str, provider: str, case: str) -> str | None:
    if passes(caller, provider):
        return None
    if (case, provider) == ("structured", "deepseek"):
        return "text.format" if caller == "responses" else "output_config.format"
    if provider == "cohere" and case == "choices":
        return "n"
    if provider == "cohere" and case == "document":
        names = {"chat": "file.file_data", "responses": "file_data"}
        return names.get(caller, "source.data")
    if provider in ("anthropic", "bedrock"):
        if case == "any_json":
            return "response_format" if caller == "chat" else "text.format"
        if case == "choices":
            return "n"
    if (case, provider) == ("image_url", "bedrock"):
        names = {"chat": "image_url.url", "responses": "image_url/file_url"}
        return names.get(caller, "source.url")
    return None


def _dropped(caller: str, provider: str, case: str) -> tuple[str, ...]:
    if passes(caller, provider):
        return ()
    if (case, provider, caller) == ("document", "gemini", "chat"):
        return ("file.filename",)
    if (case, provider, caller) == ("document", "gemini", "responses"):
        return ("filename",)
    if case == "cache" and provider not in ("anthropic", "bedrock"):
        return ("cache_control",)
    # Gemini wants its signature back, and not what it proves.
    thinkers = ("gemini", "openai_compatible")
    if case == "reasoning" and caller != "chat" and provider in thinkers:
        return (_REASONING[caller],)
    return ()


def recorded(provider: str, case: str, streamed: bool) -> list[bytes] | None:
    """What a real engine answered, turn by turn, where that was recorded."""
    files = _RECORDED.get((provider, case))
    if files is None:
        return None
    ending = "sse" if streamed else "json"
    return [(BYTES / provider / f"{file}.{ending}").read_bytes() for file in files]


def cell(caller: str, provider: str, case: str) -> Cell | None:
    """None where the dialect has no words for it."""
    if case in UNSAID[caller]:
        return None
    refused = _refused(caller, provider, case)
    bytes_of_theirs = recorded(provider, case, streamed=False) is not None
    by_them = (caller, case, provider) == ("chat", "structured", "deepseek")
    return Cell(refused, _dropped(caller, provider, case), bytes_of_theirs, by_them)


def embeds(provider: str) -> bool:
    own = ("gemini", "mistral", "cohere")
    return provider in own or (provider in OF_OPENAIS_SHAPE and provider != "deepseek")


def counts(provider: str) -> bool:
    """Itself says how many tokens a conversation has; elsewhere they are counted here."""
    return provider == "anthropic"


CELLS = {
    (caller, provider, case): found
    for caller in CALLERS
    for provider in PROVIDERS
    for case in CASES
    if (found := cell(caller, provider, case)) is not None
}
