"""Reading engines: into the store and `/metrics`, whatever engines, plans and stores do."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from tests.record.engines import answer, plan, serving, vllm_page

from tidegate.core.engine_signals import ENGINE_SIGNALS, SCRAPE_S
from tidegate.core.plan import Plan
from tidegate.core.signal import NoData, Value
from tidegate.record import scraper
from tidegate.record.engine_metrics import EngineMetrics
from tidegate.record.engine_pages import Page, Unreachable
from tidegate.record.scraper import Scraper
from tidegate.stores import database, readings
from tidegate.stores.errors import StoreUnavailable

NOON_S = 1_790_000_000.0
POOL = (
    "  pool: {provider: gpu, model: m, price: free, "
    "replicas: {a: 'http://a:1/v1', b: 'http://b:1/v1'}}"
)


class World:
    """Engines by their page's address, and two clocks."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.plan: Plan | None = plan(POOL)
        self.now_s = 500.0

    def get(self, page: Page) -> bytes:
        self.asked.append(page.url)
        found = self.pages.get(page.url)
        if found is None:
            raise Unreachable("ConnectError")
        return found

    def boot_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return NOON_S + self.now_s


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.fixture
def metrics() -> EngineMetrics:
    return EngineMetrics()


@pytest.fixture
def reading(engine: Engine, world: World, metrics: EngineMetrics) -> Scraper:
    return Scraper(
        engine,
        lambda: world.plan,
        metrics,
        get=world.get,
        now=(world.boot_s, world.wall_s),
    )


def newest(engine: Engine, world: World) -> dict[tuple[str, str], Value | NoData]:
    with database.reading(engine) as connection:
        found = readings.latest(connection, world.wall_s())
    return {(one.signal.scope, one.signal.name): one.signal.reading for one in found}


def test_what_replicas_say_is_kept_and_shown(
    engine: Engine, world: World, pool: Executor, reading: Scraper, metrics: EngineMetrics
) -> None:
    for tokens in (100, 200):
        world.now_s += SCRAPE_S
        world.pages = {
            "http://a:1/metrics": vllm_page(2, tokens),
            "http://b:1/metrics": vllm_page(5, 3 * tokens, cache=None),
        }
        reading.step(pool)
    found = newest(engine, world)
    assert found["pool/a", "engine_output_tokens"] == Value(10.0)
    assert found["pool/b", "engine_running"] == Value(5.0)
    assert found["pool/b", "engine_kv_cache_usage"] == NoData("missing")
    text = metrics.render().decode()
    assert 'tidegate_engine_running{replica="b",target="pool"} 5.0' in text
    assert 'tidegate_engine_kv_cache_usage{replica="b"' not in text
    assert text.count("tidegate_engine_up{") == 2


def test_one_that_is_away_is_unreachable_and_holds_up_no_other(
    engine: Engine,
    world: World,
    pool: Executor,
    reading: Scraper,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.pages = {"http://a:1/metrics": vllm_page(2, 100)}
    with caplog.at_level(logging.INFO):
        for _ in range(4):
            world.now_s += SCRAPE_S
            reading.step(pool)
    found = newest(engine, world)
    assert found["pool/a", "engine_running"] == Value(2.0)
    assert {found["pool/b", name] for name in ENGINE_SIGNALS} == {NoData("unreachable")}
    assert (world.asked.count("http://a:1/metrics"), world.asked.count("http://b:1/metrics")) == (
        4,
        3,
    )
    told = [record.getMessage() for record in caplog.records if "http://b:1" in record.getMessage()]
    assert len(told) == 1, "once, not each time"
    world.pages["http://b:1/metrics"] = vllm_page(1, 1)
    world.now_s += 60.0
    reading.step(pool)
    assert newest(engine, world)["pool/b", "engine_running"] == Value(1.0)


def test_one_that_does_not_come_back_is_not_asked_twice(
    engine: Engine,
    world: World,
    pool: Executor,
    metrics: EngineMetrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scraper, "_PATIENCE_S", 0.05)
    go = threading.Event()

    def stuck(page: Page) -> bytes:
        if page.url.startswith("http://b"):
            world.asked.append(page.url)
            go.wait(10)
        return vllm_page(0, 100)

    reading = Scraper(
        engine,
        lambda: world.plan,
        metrics,
        get=stuck,
        now=(world.boot_s, world.wall_s),
    )
    for _ in range(3):
        world.now_s += 100.0
        reading.step(pool)
    assert world.asked == ["http://b:1/metrics"]
    found = newest(engine, world)
    assert found["pool/a", "engine_running"] == Value(0.0)
    assert found["pool/b", "engine_running"] == NoData("unreachable")
    go.set()


def test_another_plan_is_another_set_of_engines_and_none_is_none(
    world: World, pool: Executor, reading: Scraper, metrics: EngineMetrics
) -> None:
    world.pages = {"http://a:1/metrics": vllm_page(2, 100)}
    reading.step(pool)
    assert b'replica="a"' in metrics.render()
    world.plan = plan(POOL.replace("http://a:1", "http://c:1"))
    world.pages = {"http://c:1/metrics": vllm_page(7, 100)}
    reading.step(pool)
    assert b'tidegate_engine_running{replica="a",target="pool"} 7.0' in metrics.render()
    world.plan = None
    reading.step(pool)
    assert metrics.render() == b""
    assert "http://a:1/metrics" not in world.asked[2:]


def test_a_page_that_two_targets_share_is_asked_for_once(
    engine: Engine, world: World, pool: Executor, reading: Scraper
) -> None:
    world.plan = plan(POOL + "\n" + POOL.replace("pool:", "twin:"))
    world.pages = {"http://a:1/metrics": vllm_page(2, 100)}
    reading.step(pool)
    assert world.asked.count("http://a:1/metrics") == 1
    found = newest(engine, world)
    assert found["pool/a", "engine_running"] == found["twin/a", "engine_running"] == Value(2.0)


def test_what_a_store_does_not_take_it_takes_later_and_not_without_end(
    engine: Engine,
    world: World,
    pool: Executor,
    reading: Scraper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.pages = {"http://a:1/metrics": vllm_page(2, 100)}

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(readings, "add", away)
        for _ in range(3):
            reading.step(pool)
            world.now_s += 1.0
    assert newest(engine, world) == {}
    assert sum("takes no readings" in record.getMessage() for record in caplog.records) == 1
    reading.step(pool)
    with database.reading(engine) as connection:
        weights = connection.exec_driver_sql(
            "SELECT engine_running_weight FROM readings WHERE span_s = 60 AND replica = 'a'"
        )
        assert sum(weights.scalars()) == 4.0
    assert reading._waiting.maxlen is not None


def test_nothing_ends_it_but_the_stop(
    engine: Engine, metrics: EngineMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    stop = threading.Event()

    def fails() -> Plan:
        looks.append(1)
        if len(looks) == 3:
            stop.set()
        raise ValueError("unforeseen")

    monkeypatch.setattr(stop, "wait", lambda _: None)
    Scraper(engine, fails, metrics).run(stop)
    assert len(looks) == 3


def test_over_real_sockets(engine: Engine, metrics: EngineMetrics, pool: Executor) -> None:
    with serving(answer(vllm_page(4, 10))) as (port, _):
        target = f"  pool: {{provider: gpu, model: m, price: free, replicas: ['http://127.0.0.1:{port}/v1']}}"
        found = plan(target)
        Scraper(engine, lambda: found, metrics).step(pool)
    assert b"tidegate_engine_running{" in metrics.render()
