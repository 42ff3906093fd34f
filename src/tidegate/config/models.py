"""Published facts of models, offline, from `models.jsonl` beside this file (`make models`).

Its first line names the packages that it was made from and which host belongs to which provider;
each line after it is a provider (as the file in `providers/`), a model's name there, and its facts.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from tidegate.core.model_facts import UNKNOWN, ModelFacts

_FILE: Final = "models.jsonl"
# How a name says which build of a model it is, or where it is served.
_BUILD: Final = re.compile(r"[-@]20\d\d-?[01]\d-?[0-3]\d(?:-v\d+(?::\d+)?)?$|-latest$|@default$")
_REGION: Final = re.compile(r"^(?:[a-z]{2,6}(?:-gov)?|global)\.(?=[a-z0-9]+\.)")


class _Head(Struct, rename={"source": "from"}):
    source: tuple[str, ...]
    hosts: dict[str, str]


class ModelTable:
    """`sources` are the packages, with versions, that the table was made from."""

    def __init__(self, data: bytes | None = None) -> None:
        told = data if data is not None else files(__package__).joinpath(_FILE).read_bytes()
        first, *lines = told.splitlines()
        head = msgspec.json.decode(first, type=_Head)
        self.sources = head.source
        self._hosts = head.hosts
        self._models: dict[str, dict[str, ModelFacts]] = {}
        rows: Any = msgspec.json.Decoder(tuple[str, str, ModelFacts])
        for line in lines:
            seller, model, facts = rows.decode(line)
            self._models.setdefault(seller, {})[model] = facts

    def facts(self, dialect: str, base_url: str, model: str) -> ModelFacts:
        """What is known of `model` at this address: UNKNOWN where that sells none, or not this."""
        sold = self._models.get(self._seller(dialect, base_url), {})
        found = UNKNOWN
        for name in _names(model):
            told = sold.get(name)
            if told is not None:
                found = told if found == UNKNOWN else _filled(found, told)
        return found

    def every(self) -> Iterator[tuple[str, str, ModelFacts]]:
        """(provider, model, facts) of all, by provider."""
        for seller, models in self._models.items():
            for model, facts in models.items():
                yield seller, model, facts

    def _seller(self, dialect: str, base_url: str) -> str:
        return self._hosts.get(urlsplit(base_url).hostname or "", dialect)


def _filled(build: ModelFacts, model: ModelFacts) -> ModelFacts:
    """What is told of a build, and of its model where that tells more."""
    found = asdict(model)
    found.update((name, told) for name, told in asdict(build).items() if told is not None)
    if model.inputs is not None and not model.more_inputs:
        inputs = {*model.inputs, *(build.inputs or ())}
        found.update(inputs=tuple(sorted(inputs)), more_inputs=False)
    return ModelFacts(**found)


def _names(model: str) -> Iterator[str]:
    """The names under which it may stand, the most exact first."""
    plain = _REGION.sub("", model)
    yield from dict.fromkeys((model, plain, _BUILD.sub("", plain)))


plug = ModelTable
