"""CPU of prompts: the index of a packed repository with 10,000 prompts of 20 versions each, reading
one tagged version of each, reading one, and rendering one.

The repository is made by Git's own program, once, below the bench's cache.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from bench import install
from tidegate.core.prompt import STABLE, Input, Prompt, Turn
from tidegate.prompts.index import Index, read_index
from tidegate.prompts.registry import Registry, read_prompt, read_registry
from tidegate.prompts.render import Renderer
from tidegate.prompts.source import Source, open_repository

PROMPTS, VERSIONS = 10_000, 20
INDEX_BAR_S = 3.0
RENDER_BAR_US = 60.0
_TEXT = "Follow each of the points that are listed here with care. "


def run() -> int:
    """Prints what each took; 1 when a bar is missed."""
    path = install.CACHE / f"prompts-{PROMPTS}.git"
    if not path.exists():
        _make(path)
    index_s, tagged_s, again_s, read_us = _index(path)
    render_us, compile_us = _render()
    print(f"{PROMPTS:,} prompts x {VERSIONS} versions indexed: {index_s:.2f} s of CPU")
    print(f"with a tagged version of each read and compiled: {index_s + tagged_s:.2f} s of CPU")
    print(f"the same after a commit to one of them: {1000 * again_s:.0f} ms")
    print(f"one version read: {read_us:.0f} us")
    print(f"2,000 tokens rendered: {render_us:.1f} us, compiled once: {compile_us:.0f} us")
    return int(index_s + tagged_s > INDEX_BAR_S or render_us > RENDER_BAR_US)


def _took_s(work: Callable[[], object], times: int = 1) -> float:
    """The least CPU of three rounds, of one time."""
    rounds = []
    for _ in range(3):
        started = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - started) / times)
    return min(rounds)


def _index(path: Path) -> tuple[float, float, float, float]:
    """Seconds of an index, of reading what is tagged, and of both after a commit; microseconds of
    reading one version."""

    def whole() -> None:
        source = open_repository(path, "main")
        read_index(source)
        source.close()

    def tagged() -> None:
        source = open_repository(path, "before")
        _registry(source, before, Registry())
        source.close()

    def again() -> None:
        index = read_index(second, before=before)
        _registry(second, index, registry)

    first, second = open_repository(path, "before"), open_repository(path, "main")
    before, index = read_index(first), read_index(second)
    registry = _registry(first, before, Registry())
    index_s, tagged_s, again_s = _took_s(whole), _took_s(tagged), _took_s(again)
    read_s = _took_s(lambda: read_prompt(second, index, "p00007", "v3"), 200)
    first.close()
    second.close()
    return index_s, tagged_s, again_s, read_s * 1e6


def _registry(source: Source, index: Index, before: Registry) -> Registry:
    """The version of each prompt that is tagged as stable."""
    one = {name: replace(it, tags={STABLE: it.tags[STABLE]}) for name, it in index.prompts.items()}
    index = replace(index, prompts=one)
    return read_registry(source, index, dict.fromkeys(one, ()), before, {})


def _render() -> tuple[float, float]:
    source = (
        f"You work for {{{{ company }}}}.\n{_TEXT * 150}\n"
        "{% if formal %}\nBe formal.\n{% endif %}\n{% include 'style/v1' %}\n"
        "{% for doc in docs %}\n- {{ doc.title }}: {{ doc.text }}\n{% endfor %}\n"
    )
    inputs = (Input("company"), Input("formal", "boolean"), Input("docs", "array"))
    turns = (Turn("system", source), Turn("user", "{{ company }}?"))
    prompt = Prompt("p", "v1", "", turns, inputs, (("style/v1", _TEXT),))
    docs = [{"title": f"Page {number}", "text": _TEXT} for number in range(5)]
    sent = {
        name: Raw(msgspec.json.encode(value))
        for name, value in {"company": "Tide", "formal": True, "docs": docs}.items()
    }
    renderer = Renderer(prompt)
    render_s = _took_s(lambda: renderer.render(sent), 2_000)
    return render_s * 1e6, _took_s(lambda: Renderer(prompt), 100) * 1e6


def _make(path: Path) -> None:
    print("making the repository takes a minute", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    stream = ["commit refs/heads/before\ncommitter A <a@b> 1700000000 +0000\ndata 1\na\n"]
    for number in range(PROMPTS):
        folder = f"prompts/p{number:05}"
        for version in range(VERSIONS):
            text = f"---\ninputs: {{q: string}}\n---\nYou are {number}.{version}.\n"
            text += f"{_TEXT}{{{{ q }}}}\n"
            stream.append(_file(f"{folder}/v{version}.jinja2", text))
        tags = f"stable: v{number % VERSIONS}\ncanary: v{(number + 1) % VERSIONS}\n"
        stream.append(_file(f"{folder}/tags.yaml", tags))
    stream.append("commit refs/heads/main\ncommitter A <a@b> 1700000001 +0000\ndata 1\nb\n")
    stream.append("from refs/heads/before\n" + _file("prompts/p00007/tags.yaml", "stable: v3\n"))
    data = "".join(stream).encode()
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=data, check=True)
    subprocess.run(["git", "-C", str(path), "gc", "-q"], check=True)


def _file(name: str, text: str) -> str:
    return f"M 100644 inline {name}\ndata {len(text.encode())}\n{text}\n"
