"""Files of LiteLLM's, converted; and whether every key of one was told of."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tidegate.config.litellm_file import convert_litellm
from tidegate.config.litellm_models import Known
from tidegate.config.load import Compiled, compile_file
from tidegate.config.published import published
from tidegate.config.written_plan import Converted
from tidegate.core import plugs

FOLDER = Path(__file__).parent / "litellm"
# Those of LiteLLM's own example configs (MIT licence), with their keys made shorter.
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
NOW_S = 1_795_000_000.0


class AnySetting(dict[str, str]):
    """An environment in which every variable is set."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "eu-central-1"

    def get(self, name: str, default: Any = None) -> Any:
        return "https://set.example/v1" if "BASE" in name else self[name]


def known(*kinds: str) -> Known:
    return Known(kinds or plugs.names("providers"), published(NOW_S))


def convert(name: str) -> Converted:
    return convert_litellm(FOLDER / name, known())


def converted(folder: Path, text: str) -> Converted:
    file = folder / "config.yaml"
    file.write_text(text)
    return convert_litellm(file, known())


def compiled(plan: str) -> Compiled:
    return compile_file(plan.encode(), AnySetting(), 1, NOW_S)


def draft(one: Converted) -> dict[str, Any]:
    """The plan as it is written, section by section."""
    found: dict[str, Any] = yaml.safe_load(one.plan)
    return found


def keys_of(value: object, where: str = "") -> Iterator[str]:
    """The way to each key that holds something, without the numbers of a list's items."""
    if isinstance(value, Mapping):
        for name, it in value.items():
            way = f"{where}.{name}" if where else str(name)
            if _says(it):
                yield way
                yield from keys_of(it, way)
    elif isinstance(value, list):
        for it in value:
            yield from keys_of(it, f"{where}[]")


def _says(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says, value.values()))
    return any(map(_says, value)) if isinstance(value, list) else value is not None


def untold(one: Converted, value: object) -> set[str]:
    """Keys of which nothing is said: not of them, not of what they lie in, not of what is in
    them."""
    told = [re.sub(r":.*", "", it.theirs) for it in one.findings]
    return {
        key
        for key in keys_of(value)
        if not any(key.startswith(way) or way.startswith(key) for way in told)
    }
