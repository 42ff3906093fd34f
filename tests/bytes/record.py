"""Record what real engines send, as it came: `python -m tests.bytes.record vllm|llama_cpp`.

The engine must be running (README.md beside this file); its address and model are options. Bodies
and streams are written byte for byte into the engine's folder; a status is checked, not stored.
"""

import argparse
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tests.sdks import said

TIMEOUT_S = 60
HELLO = [{"role": "user", "content": "Say hello in three words."}]
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
EACH = {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
TIMED = {**USAGE, "timings_per_token": True}
SHORT = {"max_tokens": 5, "temperature": 0}
TWO = {"max_tokens": 5, "temperature": 0.5, "n": 2}
ZONE = {"type": "string", "enum": ["utc", "cet"]}
NOW = {
    "type": "object",
    "properties": {"zone": ZONE},
    "required": ["zone"],
    "additionalProperties": False,
}
TOOLS = {
    "max_tokens": 60,
    "tools": [{"type": "function", "function": {"name": "now", "strict": True, "parameters": NOW}}],
    "tool_choice": "required",
}
# Longer than the engine's block of 128 tokens, so that a second call finds it in the cache.
LONG = [{"role": "user", "content": "Say hello in three words. " * 20}]
CHAT, TEXT = "/chat/completions", "/completions"


class Call(NamedTuple):
    """One request; `file` None only prepares the engine for the next."""

    file: str | None
    path: str
    body: dict[str, Any]
    status: int = 200


def _of_both(each: dict[str, Any], exactly: dict[str, Any]) -> list[Call]:
    """`each` has every chunk tell its tokens; `exactly` has the model say `Hello, world`."""
    said = {"messages": HELLO, "max_tokens": 20, **exactly}
    cached = {"messages": LONG, "max_tokens": 20, **exactly}
    too_long = {"messages": [{"role": "user", "content": "word " * 9000}], "max_tokens": 5}
    return [
        Call(None, CHAT, cached),
        Call("chat.json", CHAT, cached),
        Call("chat.sse", CHAT, {**said, **each}),
        Call("unasked.sse", CHAT, {**said, "stream": True}),
        Call("at_the_end.sse", CHAT, {**said, **USAGE}),
        Call("choices.json", CHAT, {"messages": HELLO, **TWO}),
        Call("choices.sse", CHAT, {"messages": HELLO, **TWO, **each}),
        Call("completion.json", TEXT, {"prompt": "Say hello", **SHORT}),
        Call("completion.sse", TEXT, {"prompt": "Say hello", **SHORT, **each}),
        Call("prompts.sse", TEXT, {"prompt": ["Say hello", "Count"], **SHORT, **each}),
        Call("error.json", CHAT, {"messages": HELLO, "temperature": "warm"}, 400),
        Call("overflow.json", CHAT, too_long, 400),
    ]


def of_tools(engine: str) -> list[Call]:
    """Of llama.cpp with the template of tests.e2e.tool_engine; vLLM's random weights end no text by
    themselves, so that the whole of a form is given."""
    question = [{"role": "user", "content": said.QUESTION}]
    functions = [
        {"type": "function", "function": {"name": name, "parameters": schema, "strict": True}}
        for name, schema in said.TOOLS.items()
    ]
    called = {"messages": question, "tools": functions, "tool_choice": "required"}
    each, exactly = TIMED, {"temperature": 0, "max_tokens": 80}
    form = {"name": "tide", "strict": True, "schema": said.Tide.model_json_schema()}
    formed = {"response_format": {"type": "json_schema", "json_schema": form}}
    if engine == "vllm":
        each, exactly = EACH, {"seed": 1, "temperature": 1.5, "max_tokens": 300}
        formed = {"structured_outputs": {"regex": re.escape(said.FORMED.model_dump_json())}}
    formed |= {"messages": [{"role": "user", "content": "Name a place and a height, as JSON."}]}
    found = []
    for name, asked in (("called", called), ("formed", formed)):
        whole = {**asked, **exactly}
        found += [
            Call(f"{name}.json", CHAT, whole),
            Call(f"{name}.sse", CHAT, {**whole, **each}),
        ]
    return found


def calls(engine: str) -> list[Call]:
    if engine == "llama_cpp":
        grammar = {"grammar": 'root ::= "Hello, world"'}
        no_vectors = Call("no_embeddings.json", "/embeddings", {"input": "hello"}, 501)
        return [*_of_both(TIMED, grammar), no_vectors]
    beyond = {"messages": HELLO, "max_tokens": 1_000_000}
    return [
        *_of_both(EACH, {"structured_outputs": {"regex": "Hello, world"}}),
        Call("tools.sse", CHAT, {"messages": HELLO, **TOOLS, **EACH}),
        Call("overflow_asked.json", CHAT, beyond, 400),
        Call("no_model.json", CHAT, {"messages": HELLO, "model": "nobody"}, 404),
        Call("no_embeddings.json", "/embeddings", {"input": "hello"}, 404),
    ]


def ask(url: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """(status, the answer's body as it came)."""
    data = msgspec.json.encode(body)
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bytes.record", description=__doc__)
    parser.add_argument("engine", choices=("vllm", "llama_cpp"))
    parser.add_argument("--tools", action="store_true", help="calls and forms only")
    parser.add_argument("--url", default="http://127.0.0.1:8190/v1")
    parser.add_argument("--model", default="tiny")
    asked = parser.parse_args()
    folder = Path(__file__).with_name(asked.engine)
    for call in (of_tools if asked.tools else calls)(asked.engine):
        status, answer = ask(asked.url + call.path, {"model": asked.model, **call.body})
        if status != call.status:
            raise SystemExit(f"{call.file}: {status} instead of {call.status}: {answer!r}")
        if call.file is not None:
            (folder / call.file).write_bytes(answer)


if __name__ == "__main__":
    main()
