"""Vectors in Qdrant, through its client: one collection for each length, one point a question.

Its tests run the client's local mode; it was never run against a server. Times are this machine's
wall clock.
"""

import base64
import hashlib
import struct
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from qdrant_client import QdrantClient
from qdrant_client.models import (
    Direction,
    Distance,
    FieldCondition,
    Filter,
    FilterSelector,
    MatchValue,
    OrderBy,
    PayloadSchemaType,
    PointIdsList,
    PointStruct,
    Range,
    VectorParams,
)

from tidegate.core import clock
from tidegate.core.encoding import Vector
from tidegate.core.secret import Secret
from tidegate.stores.remote_vectors import Row

_STEP_S: Final = 1
_INDEXED: Final = (
    ("route", PayloadSchemaType.KEYWORD),
    ("partition", PayloadSchemaType.KEYWORD),
    ("until", PayloadSchemaType.FLOAT),
)


class QdrantVectors:
    """stores.remote_vectors.Backend."""

    def __init__(self, client: Callable[[], QdrantClient]) -> None:
        self._made = client
        self._client: QdrantClient | None = None
        self._there: set[int] = set()

    def search(self, route: str, partition: bytes, vector: Vector, most: int) -> list[Row]:
        size = len(vector) // 4
        client, name = self._ready(size), _name(size)
        found = client.query_points(
            name,
            query=list(struct.unpack(f"<{size}f", vector)),
            query_filter=Filter(
                must=[
                    *_of(route, partition),
                    FieldCondition(key="until", range=Range(gt=clock.wall_s())),
                ]
            ),
            limit=most,
            with_payload=True,
        )
        return [_row(point.payload or {}, point.score) for point in found.points]

    def put(self, route: str, partition: bytes, row: Row, vector: Vector, keep_s: float) -> None:
        size = len(vector) // 4
        payload = {
            "route": route,
            "partition": partition.hex(),
            "until": clock.wall_s() + keep_s,
            "key": row.key.hex(),
            "question": base64.b64encode(row.question.encode("utf-8", "surrogatepass")).decode(),
            "crc": row.crc.hex(),
        }
        numbers = list(struct.unpack(f"<{size}f", vector))
        point = PointStruct(id=_id(route, partition, row.key), vector=numbers, payload=payload)
        self._ready(size).upsert(_name(size), [point], wait=False)

    def drop(self, route: str, partition: bytes, key: bytes) -> None:
        for size in list(self._there):
            self._ready(size).delete(_name(size), PointIdsList(points=[_id(route, partition, key)]))

    def sweep(self, route: str, most: int) -> int:
        evicted = 0
        of_route = Filter(must=_of(route))
        for size in list(self._there):
            client, name = self._ready(size), _name(size)
            old = FieldCondition(key="until", range=Range(lte=clock.wall_s()))
            client.delete(name, FilterSelector(filter=Filter(must=[old])))
            over = client.count(name, count_filter=of_route, exact=True).count - most
            if over > 0:
                by = OrderBy(key="until", direction=Direction.ASC)
                first, _ = client.scroll(name, of_route, over, order_by=by, with_payload=False)
                client.delete(name, PointIdsList(points=[point.id for point in first]))
                evicted += len(first)
        return evicted

    def forget(self) -> None:
        self._there.clear()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _ready(self, size: int) -> QdrantClient:
        """The client, and the collection made where it is not."""
        if self._client is None:
            self._client = self._made()
        client, name = self._client, _name(size)
        if size not in self._there:
            if not client.collection_exists(name):
                try:
                    client.create_collection(
                        name, VectorParams(size=size, distance=Distance.COSINE)
                    )
                except Exception:
                    if not client.collection_exists(name):  # or another gateway was quicker
                        raise
            for field, kind in _INDEXED:
                client.create_payload_index(name, field, kind)
            self._there.add(size)
        return client


def reaching(url: Secret) -> QdrantVectors:
    """At `http://` or `https://`; a password in it is the API key."""
    parts = urlsplit(url.reveal())
    key = unquote(parts.password) if parts.password else None
    where = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return QdrantVectors(
        lambda: QdrantClient(url=where, api_key=key, timeout=_STEP_S, check_compatibility=False)
    )


def _name(size: int) -> str:
    return f"tidegate_answer_vectors_{size}"


def _id(route: str, partition: bytes, key: bytes) -> str:
    """The same for the same key, so that it is replaced."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (route.encode(), partition, key):
        digest.update(len(part).to_bytes(4, "little") + part)
    return str(uuid.UUID(bytes=digest.digest()))


def _of(route: str, partition: bytes | None = None) -> list[Any]:
    found = [FieldCondition(key="route", match=MatchValue(value=route))]
    if partition is not None:
        found.append(FieldCondition(key="partition", match=MatchValue(value=partition.hex())))
    return found


def _row(payload: dict[str, Any], score: float) -> Row:
    """One that is damaged has a checksum that no other has."""
    try:
        question = base64.b64decode(payload["question"]).decode("utf-8", "surrogatepass")
        return Row(bytes.fromhex(payload["key"]), question, bytes.fromhex(payload["crc"]), score)
    except (KeyError, ValueError, TypeError):
        return Row(b"", "", b"", score)


plug = reaching
