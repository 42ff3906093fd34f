"""Kept answers are judged through the whole house: a wrong one that is given again is found bad, is
shown by its tier, and moves nothing of what is said of live answers."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from tests.e2e.apart import Spawning
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, completion

from tidegate.cli._client import Control
from tidegate.control.shapes_quality import AssessmentList, QualityList, QualityView
from tidegate.stores import database, judged_hits

PLAN = """\
control: {{loop: {{tick: 250ms, lease: 3s}}}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
routes:
  grader: {{target: {{provider: up, model: judge, price: free}}}}
  faq:
    target: {{provider: up, model: m, price: free}}
    cache: {{exact: {{ttl: 1h}}}}
    capture: 100%
    quality:
      checks: [{{contains: {{any: [euros]}}}}]
      judge: grader
      per_hour: 100000
      hits: {{per_hour: 100000}}
"""
OLD, NEW = "What did it cost?", "How do I pay?"


async def engine(exchange: Exchange) -> None:
    """A model whose price is out of date, and a judge that knows."""
    told = msgspec.json.encode(exchange.json["messages"])
    if exchange.json["model"] == "judge":
        choice = "wrong" if b"It costs 5 euros" in told else "right"
        text = msgspec.json.encode({"reason": "so it is", "choice": choice}).decode()
    else:
        text = "It costs 5 euros." if OLD.encode() in told else "In euros, by card."
    exchange.send(answer_bytes(200, msgspec.json.encode(completion(text=text))))


def ask(address: tuple[str, int], key: str, question: str) -> dict[str, str]:
    body = {
        "model": "faq",
        "temperature": 0,
        "seed": 1,
        "messages": [{"role": "user", "content": question}],
    }
    url = f"http://{address[0]}:{address[1]}/v1/chat/completions"
    found = httpx2.post(url, json=body, headers={"authorization": f"Bearer {key}"})
    assert found.status_code == 200, found.text
    return dict(found.headers)


def until(found: Callable[[], Any], within_s: float = 30.0) -> Any:
    ends_s = time.monotonic() + within_s
    while not (it := found()):
        assert time.monotonic() < ends_s, "it did not come"
        time.sleep(0.1)
    return it


def judged(asked: Control) -> Callable[[], QualityView | None]:
    def look() -> QualityView | None:
        [shown] = asked.get("/api/quality", QualityList, route="faq").quality
        tiers = [] if shown.hits is None else shown.hits.tiers
        live = sum(it.found.known for it in shown.judged)
        return shown if tiers and tiers[0].judged == 4 and live == 2 else None

    return look


def test_a_wrong_kept_answer_is_found_bad_by_tier_and_apart_from_live_ones(
    tmp_path: Path,
) -> None:
    asyncio.run(whole(tmp_path))


async def whole(folder: Path) -> None:
    async with Upstream(engine) as up:
        (folder / "tidegate.yaml").write_text(PLAN.format(port=up.port))
        control = Spawning(folder)
        await control.start()
        await control.ready()
        gateway = Spawned(control.layout)
        await gateway.start()
        host, port = gateway.address
        (control.layout.run / "gateway.url").write_text(f"http://{host}:{port}\n")
        key = await asyncio.to_thread(control.key)
        outcomes = [
            (await asyncio.to_thread(ask, gateway.address, key, it))["x-tidegate-cache"]
            for it in (OLD, OLD, OLD, NEW, NEW, NEW)
        ]
        with Control(control.layout.state) as asked:
            shown = await asyncio.to_thread(until, judged(asked))
            found = asked.get("/api/quality/assessments", AssessmentList).assessments
            metrics = httpx2.get(f"{asked.url}/metrics").text
        assert await control.end(signal.SIGTERM) == 0, control.log.read_text()
        assert await gateway.end() == 0
    assert outcomes == ["miss", "hit", "hit"] * 2
    [tier] = shown.hits.tiers
    assert (tier.tier, tier.given, tier.captured, tier.judged) == ("exact", True, 4, 4)
    assert tier.bad is not None and tier.bad.share == 0.5
    assert (shown.hits.is_judged, shown.hits.unjudged, shown.ungraded) == (True, None, None)
    assert [it.is_bad for it in found] == [False, False], "live answers alone"
    assert 'tidegate_quality_hits_bad_total{route="faq",stratum="exact"} 2' in metrics
    store = database.open_engine(control.layout.ledger_db)
    with database.reading(store) as connection:
        hits = judged_hits.judged_hits(connection, "faq", 0.0)
    store.dispose()
    assert len({it.kept_from for it in hits if it.is_bad}) == 1
    assert {it.kept_from for it in hits}.isdisjoint(it.receipt_id for it in hits)
    log = control.log.read_text()
    assert "Traceback" not in log and "5 euros" not in log
