"""A room whose plan has a route that is asked by a prompt of a plain folder."""

from pathlib import Path

from tests.control.conftest import Room

VERSION = """---
inputs:
  product: {{type: string}}
---
{{# role: system #}}
{text} You answer for {{{{ product }}}}.
"""
PLAN = """\
prompts: {{repository: repo, certificates: {certificates}}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
routes:
  chat:
    target: {{provider: up, model: {model}, price: free}}
    prompt: support
"""


def write(folder: Path, *versions: str, text: str = "", **tags: str) -> None:
    """Versions of the prompt `support`, whose text says which it is, and its tags."""
    at = folder / "repo" / "prompts" / "support"
    at.mkdir(parents=True, exist_ok=True)
    for version in versions:
        (at / f"{version}.jinja2").write_text(VERSION.format(text=text or version))
    (at / "tags.yaml").write_text("".join(f"{tag}: {it}\n" for tag, it in tags.items()))


def begin(room: Room, certificates: str = "required", model: str = "m-1") -> None:
    """The plan is published, with `stable` at v1."""
    write(room.plan_file.parent, "v1", "v2", stable="v1")
    room.plan_file.write_text(PLAN.format(certificates=certificates, model=model))
    room.plans.start(0)


def stable(room: Room) -> str:
    """The version that the published plan serves."""
    return room.plans.current.prompts["support"].tags["stable"]
