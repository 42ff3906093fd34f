"""Certificates for what a gate let pass: one for each model that answered every case."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

import click
from msgspec import Struct
from msgspec.structs import replace

from tidegate.cli._client import Control
from tidegate.cli._eval_run import Done
from tidegate.control.shapes_certificates import NewCertificate
from tidegate.core.certificate import Certificate, Found
from tidegate.core.prompt import Prompt
from tidegate.evals.finding import listed
from tidegate.evals.outcome import passed
from tidegate.evals.side import Side, Writer


class Tried(Struct, frozen=True):
    """A model that the candidate was asked at: which cases it answered, and as what. `failed` are
    those that pass as a whole and not by its own answers."""

    model: str
    cases: frozenset[str]
    snapshots: frozenset[str]
    failed: tuple[str, ...] = ()


def tried(done: Done) -> list[Tried]:
    """By what receipts say."""
    cases: dict[str, set[str]] = defaultdict(set)
    snapshots: dict[str, set[str]] = defaultdict(set)
    for pair in done.pairs:
        for answered in (it.answered for it in pair.candidate):
            if answered.model is not None:
                cases[answered.model].add(pair.case.id)
                snapshots[answered.model] |= {answered.model_snapshot or ""} - {""}
    return [
        Tried(it, frozenset(cases[it]), frozenset(snapshots[it]), _failed(done, it))
        for it in sorted(cases)
    ]


def _failed(done: Done, model: str) -> tuple[str, ...]:
    """Of the cases that pass, those that do so by another model's answers alone."""
    found = []
    for pair in done.pairs:
        own = [it for it in pair.candidate if it.answered.model == model]
        if own and passed(pair.candidate) and not passed(own):
            found.append(pair.case.id)
    return tuple(found)


def certify(control: Control, done: Done, prompt: Prompt, for_s: float) -> int:
    """Asks control for each certificate; how many there are. What was not issued is told why."""
    issued = 0
    models = tried(done)
    if not models:
        click.echo("no certificate: no receipt says which model has answered", err=True)
    whys = {it.model: _why_not(it, done) for it in models}
    cases = _questions(done, prompt) if None in whys.values() else 0
    for it in models:
        if (why := whys[it.model]) is not None:
            click.echo(f"no certificate for {it.model}: {why}", err=True)
            continue
        wanted = _wanted(it, done, prompt, for_s)
        made = control.post("/api/certificates", Certificate, replace(wanted, cases=cases))
        click.echo(f"certified {prompt.name}@{prompt.version} at {it.model}: {made.id}")
        issued += 1
    return issued


def _why_not(tried: Tried, done: Done) -> str | None:
    missing = len(done.suite.cases) - len(tried.cases)
    if missing:
        return f"{missing} of {len(done.suite.cases)} cases were answered by another model only"
    if len(tried.snapshots) > 1:
        return f"it answered as several: {', '.join(sorted(tried.snapshots))}"
    if tried.failed:
        return f"by its own answers it fails what another model passes: {listed(tried.failed)}"
    return None


def _questions(done: Done, prompt: Prompt) -> int:
    """How many different questions the cases come to."""
    own = {it.name for it in prompt.inputs}
    spare = {name for case in done.suite.cases for name in case.variables} - own
    writer = Writer(Side("", prompt), frozenset(spare))
    return len({writer.body(case) for case in done.suite.cases})


def _wanted(tried: Tried, done: Done, prompt: Prompt, for_s: float) -> NewCertificate:
    return NewCertificate(
        prompt=prompt.name,
        version=prompt.version,
        digest=prompt.digest,
        model=tried.model,
        suite=done.suite.name[:200],
        suite_digest=done.suite.digest(),
        cases=len(done.suite.cases),
        findings=tuple(_found(done)),
        run=done.run,
        for_s=for_s,
        reason=f"the gate {done.suite.name[:100]} was passed",
        snapshot=next(iter(tried.snapshots), None),
        baseline=done.compared.baseline[:200] if any(it.baseline for it in done.pairs) else None,
        judge_digest=_judges(done.judges),
    )


def _found(done: Done) -> Iterable[Found]:
    for it in done.gated.findings:
        if it.verdict in ("pass", "warn"):
            yield Found(it.check, "warn" if it.verdict == "warn" else "pass", it.why)


def _judges(digests: tuple[str, ...]) -> str | None:
    """Of one judge its own; of several that of all their digests."""
    if len(digests) < 2:
        return next(iter(digests), None)
    return sha256("\n".join(digests).encode()).hexdigest()
