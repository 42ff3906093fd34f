"""Small repositories, made without Git's own program, and prompts to put into them."""

from collections.abc import Mapping
from pathlib import Path

from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo

V1 = """---
inputs:
  name: string
  docs: {type: array, default: []}
---
{# role: system #}
You help {{ name }}.
{% include "house/v1" %}
{% for doc in docs %}
- {{ doc }}
{% endfor %}
{# role: user #}
{{ name }}?
"""
V2 = V1.replace("You help", "You gladly help")
HOUSE = "Be kind.\n"
FILES = {
    "prompts/support/v1.jinja2": V1,
    "prompts/support/v2.jinja2": V2,
    "prompts/support/tags.yaml": "stable: v1\ncanary: v2\n",
    "prompts/_partials/house/v1.jinja2": HOUSE,
    "prompts/plain/v1.jinja2": "Say hello.\n",
    "prompts/plain/tags.yaml": "stable: v1\n",
    "README.md": "ours\n",
}
# Modes that files may have instead of a plain one.
LINK, SUBMODULE = 0o120000, 0o160000

_Tree = dict[str, "str | bytes | _Tree"]


class Made:
    """A bare repository; `commit` puts files on top of what there is, None takes one away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.repo = Repo.init_bare(str(path))
        self.files: dict[str, str | bytes] = {}
        self.modes: dict[str, int] = {}
        self.head: bytes | None = None

    def commit(
        self, files: Mapping[str, str | bytes | None], message: str = "more", ref: str = "main"
    ) -> str:
        for name, text in files.items():
            if text is None:
                del self.files[name]
            else:
                self.files[name] = text
        commit = Commit()
        commit.tree = self._tree("")
        commit.parents = [self.head] if self.head else []  # type: ignore[list-item]
        commit.author = commit.committer = b"Ada <ada@example.com>"
        commit.author_time = commit.commit_time = 1_790_000_000
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = message.encode()
        self.repo.object_store.add_object(commit)
        self.head = commit.id
        self.repo.refs[f"refs/heads/{ref}".encode()] = commit.id  # type: ignore[index]
        self.repo.close()
        return commit.id.decode()

    def pack(self) -> None:
        self.repo.object_store.pack_loose_objects()
        self.repo.close()

    def _tree(self, below: str) -> bytes:
        tree = Tree()
        folders: set[str] = set()
        for name, text in self.files.items():
            if not name.startswith(below):
                continue
            first, slash, _ = name[len(below) :].partition("/")
            if slash:
                folders.add(first)
                continue
            mode = self.modes.get(name, 0o100644)
            blob = Blob.from_string(text if isinstance(text, bytes) else text.encode())
            if mode != SUBMODULE:
                self.repo.object_store.add_object(blob)
            tree.add(first.encode(), mode, blob.id)
        for folder in folders:
            tree.add(folder.encode(), 0o040000, self._tree(f"{below}{folder}/"))  # type: ignore[arg-type]
        self.repo.object_store.add_object(tree)
        return tree.id


def made(path: Path, files: Mapping[str, str | bytes | None] = FILES) -> Made:
    repository = Made(path)
    repository.commit(files)
    return repository


def written(path: Path, files: Mapping[str, str | bytes | None] = FILES) -> Path:
    """The same as working files."""
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else (text or "").encode())
    return path
