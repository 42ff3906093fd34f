"""Bedrock's wire as AWS's own model of it has it: what botocore would send, and what it reads.

`tests/bytes/bedrock/*.events` hold one message of a stream a line: its kind, its name, its payload.
"""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore import loaders, parsers
from botocore.model import OperationModel, ServiceModel, Shape
from tests.text.frames import thrown, told

BYTES = Path(__file__).resolve().parent.parent / "bytes/bedrock"
ANY_DOCUMENT = "Document"


@lru_cache(maxsize=4)
def operation(name: str) -> OperationModel:
    model = loaders.Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model).operation_model(name)


def frames_of(text: str) -> list[bytes]:
    """The frames of a stream, of its lines."""
    made = []
    for line in text.splitlines():
        kind, name, payload = line.split(" ", 2)
        made.append((told if kind == "event" else thrown)(name, payload.encode()))
    return made


def frames_at(path: Path) -> bytes:
    return b"".join(frames_of(path.read_text()))


def stream_of(name: str) -> bytes:
    return frames_at(BYTES / f"{name}.events")


class Raw:
    """What urllib3 would be: bytes as they come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        yield self._data


def read_by_botocore(data: bytes, *, stream: bool) -> Any:
    """An answer of status 200 as botocore reads it; a stream as its events."""
    shape = operation("ConverseStream" if stream else "Converse").output_shape
    answer = {"status_code": 200, "headers": {}, "body": Raw(data) if stream else data}
    answer["context"] = {"operation_name": "Converse"}
    parsed = parsers.create_parser("rest-json").parse(answer, shape)
    return list(parsed["stream"]) if stream else parsed


def problems(shape: Shape, value: Any, at: str = "body") -> list[str]:
    """What AWS's model has against `value`: members, kinds, words, lengths."""
    if shape.name == ANY_DOCUMENT:
        return []
    if shape.type_name == "structure":
        return _problems_of_structure(shape, value, at)
    if shape.type_name == "list":
        return [
            no for i, one in enumerate(value) for no in problems(shape.member, one, f"{at}[{i}]")
        ]
    if shape.type_name == "map":
        return [
            no for key, one in value.items() for no in problems(shape.value, one, f"{at}.{key}")
        ]
    if shape.type_name == "blob":
        base64.b64decode(value, validate=True)
        return []
    wanted = {"string": str, "integer": int, "float": (int, float), "boolean": bool}
    if not isinstance(value, wanted[shape.type_name]):
        return [f"{at}: {value!r} is no {shape.type_name}"]
    limits = shape.metadata
    if shape.type_name == "string":
        found = []
        if limits.get("enum") and value not in limits["enum"]:
            found.append(f"{at}: {value!r} is none of {limits['enum']}")
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            found.append(f"{at}: {value!r} is not like {limits['pattern']}")
        value = len(value)
    else:
        found = []
    if not limits.get("min", value) <= value <= limits.get("max", value):
        found.append(f"{at}: {value!r} is not within {limits}")
    return found


def _problems_of_structure(shape: Any, value: Any, at: str) -> list[str]:
    found = [f"{at}: {name} is unknown" for name in value if name not in shape.members]
    in_body = [
        n for n in shape.required_members if not shape.members[n].serialization.get("location")
    ]
    found += [f"{at}: {name} is missing" for name in in_body if name not in value]
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        found.append(f"{at}: a union of {len(value)} members")
    for name, one in value.items():
        if name in shape.members:
            found += problems(shape.members[name], one, f"{at}.{name}")
    return found
