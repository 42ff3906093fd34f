"""Live answers are judged through the whole house: a worse prompt whose answers pass every check of
form is rolled back by the canary, because a judge says what users would."""

import asyncio
import signal
from pathlib import Path

import httpx2
import msgspec
from tests.e2e.apart import Spawning
from tests.e2e.prompted import commit
from tests.e2e.releases import Releasing, Traffic
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import STREAM_HEAD, Exchange, Upstream, answer_bytes, completion

from tidegate.cli._client import Control
from tidegate.control.shapes_quality import AssessmentList, QualityList
from tidegate.core import plugs
from tidegate.core.grading import judge_digest
from tidegate.evals.own_gateway import NAME
from tidegate.stores import database, judges, keys
from tidegate.stores.judges import Calibrated
from tidegate.stores.keys import KeyFilter

RUBRIC = {"rubric": "It says what the customer has to do next."}
PLAN = """\
control: {{loop: {{tick: 250ms, lease: 3s}}}}
prompts: {{repository: prompts-repo, poll_s: 0.1, certificates: "off"}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
routes:
  grader: {{target: {{provider: up, model: judge, price: free}}}}
  support:
    target: {{provider: up, model: m, price: free}}
    prompt: support
    contract: {{json: true}}
    capture: 100%
    quality:
      checks: [{{judge_rubric: {{rubric: {rubric}}}}}]
      judge: grader
      per_hour: 100000
"""
PROMPT = """---
inputs: {}
---
{# role: system #}
%s
"""
FILES = {
    "prompts/support/v1.jinja2": PROMPT.replace("%s", "You help customers."),
    "prompts/support/v2.jinja2": PROMPT.replace("%s", "You are brief with customers."),
    "prompts/support/tags.yaml": "stable: v1\ncanary: v2\n",
}
RELEASE = """\
owner: ada
why: a shorter prompt
change: {prompt: {name: support, tag: canary}}
soak: 500ms
steps:
  - {weight: 20%, min_units: 20, min: 500ms, max: 100s, smoke: true}
  - {weight: 50%, min_units: 100, min: 500ms, max: 100s}
  - {weight: 100%, min_units: 100, min: 500ms, max: 100s}
harm: {error: {margin: 0.1}, refusal: {margin: 0.1}, invalid: {margin: 0.1}, quality: {margin: 0.1}}
"""
HELPFUL, USELESS = '{"answer": "Send it back by Friday."}', '{"answer": "It is what it is, sir."}'


async def engine(exchange: Exchange) -> None:
    """A model that does what its prompt says, and a judge that reads its answers."""
    told = msgspec.json.encode(exchange.json["messages"])
    if exchange.json["model"] == "judge":
        score = 0 if b"It is what it is" in told else 1
        verdict = msgspec.json.encode({"reason": "so it is", "score": score}).decode()
        exchange.send(answer_bytes(200, msgspec.json.encode(completion(text=verdict))))
        return
    text = USELESS if b"You are brief" in told else HELPFUL
    exchange.send(STREAM_HEAD)
    for part in (text[:12], text[12:]):
        exchange.say(part)
    exchange.end()


def calibrate(control: Spawning) -> None:
    """People have agreed with this judge."""
    prompt = plugs.load("graders", "judge_rubric").prompt(RUBRIC)
    known = Calibrated(
        judge=judge_digest(prompt, "served", {}),
        route="grader",
        name="judge_rubric",
        model="served",
        calibrated_at_s=1.0,
        expires_at_s=4e9,
        author="ada",
        is_calibrated=True,
        anchors=200,
        anchors_digest="",
        errors=0,
        known=200,
        agreed=190,
        kappa=0.9,
        kappa_low=0.8,
        kappa_high=0.95,
        figures="{}",
    )
    store = database.open_engine(control.layout.ledger_db)
    with database.writing(store) as connection:
        judges.keep(connection, known)
    store.dispose()


def test_a_worse_prompt_that_breaks_no_form_is_rolled_back_by_its_judged_quality(
    tmp_path: Path,
) -> None:
    asyncio.run(judged(tmp_path))


async def judged(folder: Path) -> None:
    commit(folder / "prompts-repo", FILES)
    async with Upstream(engine) as up:
        rubric = RUBRIC["rubric"]
        (folder / "tidegate.yaml").write_text(PLAN.format(port=up.port, rubric=rubric))
        file = folder / "releases" / "support" / "brief.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(RELEASE)
        control = Spawning(folder)
        await control.start()
        await control.ready()
        calibrate(control)
        gateway = Spawned(control.layout)
        await gateway.start()
        host, port = gateway.address
        (control.layout.run / "gateway.url").write_text(f"http://{host}:{port}\n")
        key = await asyncio.to_thread(control.key)
        traffic = Traffic(gateway.address, key, ["support"])
        traffic.start(2)
        people = Releasing(control)
        await asyncio.to_thread(people.create_and_start, "support/brief")
        end = await people.until("support/brief", "rolled_back", "done")
        await traffic.stop()
        with Control(control.layout.state) as asked:
            [shown] = asked.get("/api/quality", QualityList).quality
            bad = asked.get("/api/quality/assessments", AssessmentList, bad="true").assessments
            metrics = httpx2.get(f"{asked.url}/metrics").text
        assert await control.end(signal.SIGTERM) == 0, control.log.read_text()
        assert await gateway.end() == 0
    assert (end.release.state, "quality" in end.release.reason) == ("rolled_back", True), end
    assert {it.found.arm for it in shown.judged if it.found.bad} == {"canary"}
    assert shown.ungraded is None
    assert shown.overall is not None and 0 < shown.overall.share < 1
    assert {it.prompt_version for it in bad} == {"v2"}
    assert 'tidegate_quality_bad_total{route="support",arm="canary"' in metrics
    assert not traffic.failed, traffic.failed[0]
    store = database.open_engine(control.layout.ledger_db)
    [own] = keys.find(store, KeyFilter(name_prefix=NAME))
    store.dispose()
    assert own.revoked_at_s is not None  # it went with its control
    log = control.log.read_text()
    assert "Traceback" not in log and "Send it back" not in log
