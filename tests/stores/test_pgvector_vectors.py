"""Vectors in PostgreSQL beside what every store is: no pgvector, and which index is read."""

import numpy as np
import psycopg
import pytest
from tests.contract.vector_stores import MB, Servers, opened
from tests.postgres import pgvector_programs, serving
from tests.stores.redis_rig import run
from tests.stores.vectors_made import vector

from tidegate.stores.pgvector_vectors import PgVectors
from tidegate.stores.remote_vectors import Row


@pytest.mark.postgres
def test_a_server_without_pgvector_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main(servers: Servers) -> None:
        async with opened("pgvector", servers) as store:
            vectors = store.of("a", MB)
            for _ in range(3):
                vectors.put(b"p", b"k", vector(1), "q", 60.0)
                await store.settled()
                assert await vectors.nearest(b"p", vector(1), 1) == []

    with serving() as server:
        run(main(Servers(postgres=server, database=server.database())))
    assert caplog.text.count("pgvector is needed") == 1


@pytest.mark.pgvector
def test_a_small_partition_beside_a_large_one_is_found_whole() -> None:
    draw = np.random.default_rng(5)
    with serving(found=pgvector_programs()) as server:
        url = server.database("template1")
        backend = PgVectors(url)
        many = draw.standard_normal((600, 8)).astype("<f4")
        for number, values in enumerate(many):
            row = Row(b"%d" % number, "q", b"crc")
            partition = b"small" if number % 100 == 0 else b"large"
            backend.put("a", partition, row, values.tobytes(), 60.0)
        with psycopg.connect(url.reveal(), autocommit=True) as link:
            link.execute("ANALYZE answer_vectors_8")
        found = backend.search("a", b"small", many[0].tobytes(), 10)
        assert {row.key for row in found} == {b"%d" % number for number in range(0, 600, 100)}
        assert found[0][:2] == (b"0", "q")
        assert found[0].score == pytest.approx(1.0, abs=1e-6)
        assert backend.sweep("a", 100) == 500
        assert backend.sweep("b", 0) == 0
        assert len(backend.search("a", b"large", many[1].tobytes(), 200)) <= 100
        backend.close()
