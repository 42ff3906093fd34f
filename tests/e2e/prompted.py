"""A repository of prompts on disk, committed as people do it."""

from pathlib import Path

from dulwich import porcelain

VERSION = """---
inputs:
  product: {type: string}
---
{# role: system #}
%s You answer for {{ product }}.
"""
AUTHOR = b"Ana <ana@example.com>"


def commit(repository: Path, files: dict[str, str], message: str = "prompts") -> str:
    """Write the files and commit them; the commit."""
    if not (repository / ".git").exists():
        repository.mkdir(parents=True, exist_ok=True)
        porcelain.init(repository).close()
    for name, text in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        porcelain.add(repository, [path])
    made = porcelain.commit(repository, message=message.encode(), author=AUTHOR, committer=AUTHOR)
    return made.decode()


def versions(*names: str, prompt: str = "support", **tags: str) -> dict[str, str]:
    """Files of versions whose text says which it is, and of the tags."""
    files = {f"prompts/{prompt}/{name}.jinja2": VERSION % name for name in names}
    told = "".join(f"{tag}: {version}\n" for tag, version in tags.items())
    return {**files, f"prompts/{prompt}/tags.yaml": told}
