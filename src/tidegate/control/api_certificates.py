"""Certificates: what a gate has found, signed by control and kept; and which there are."""

import asyncio
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_certificates import CertificateList, NewCertificate
from tidegate.core import clock
from tidegate.core.certificate import Certificate
from tidegate.core.prompt import Prompt
from tidegate.stores import certificates, database
from tidegate.stores.certificates import Answered

OPERATOR = "operator:"


class CertificateQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Of one version's digest, or the newest of all."""

    digest: str | None = None


async def _list(call: Call) -> CertificateList:
    query: CertificateQuery = call.query

    def read(engine: Engine) -> CertificateList:
        with database.reading(engine) as connection:
            if query.digest is None:
                return CertificateList(certificates.recent(connection))
            return CertificateList(certificates.of(connection, query.digest))

    return await call.desk.store(read)


async def _issue(call: Call) -> Certificate:
    asked: NewCertificate = call.body
    desk, by = call.desk, author(call)
    prompt = await _version(call)
    if prompt.digest != asked.digest:
        message = f"{prompt.name}@{prompt.version} says something else than what was tried."
        raise ApiError("invalid_request", message, param="digest")
    made = Certificate(
        id=clock.IdSource().new(),
        prompt=asked.prompt,
        version=asked.version,
        digest=asked.digest,
        model=asked.model,
        suite=asked.suite,
        suite_digest=asked.suite_digest,
        cases=asked.cases,
        findings=asked.findings,
        author=f"{OPERATOR}{by.actor}",
        issued_at_s=by.at_s,
        expires_at_s=by.at_s + asked.for_s,
        snapshot=asked.snapshot,
        baseline=asked.baseline,
        judge_digest=asked.judge_digest,
        run=asked.run,
    )

    def write(engine: Engine) -> Certificate:
        with database.reading(engine) as connection:
            found = _borne_out(connection, asked)
        fingerprints = tuple(sorted(found.fingerprints))
        kept = desk.certifying.sign(replace(made, fingerprints=fingerprints))
        with database.writing(engine) as connection:
            _check_untaken(certificates.of_model(connection, asked.model), kept)
            certificates.add(connection, kept)
        return kept

    kept = await desk.store(write)
    desk.loop.wake()  # a release may wait for it
    return kept


ROWS = (
    Row("GET", "/api/certificates", "viewer", _list, query=CertificateQuery),
    Row("POST", "/api/certificates", "operator", _issue, body=NewCertificate, status=201),
)


def _borne_out(connection: Connection, asked: NewCertificate) -> Answered:
    """What the ledger has of the run. ApiError where that is not the answers that it claims."""
    of = asked.prompt, asked.version
    found = certificates.answers_of_run(connection, asked.run, asked.model, of)
    later = "if some are still on their way, ask again."
    if found.questions < asked.cases:
        message = (
            f"The ledger knows {found.questions} different questions that run {asked.run} put to "
            f"{asked.model} by {asked.prompt}@{asked.version}, not its {asked.cases} cases; {later}"
        )
        raise ApiError("invalid_request", message, param="run")
    if asked.baseline is not None and found.others < asked.cases:
        message = (
            f"The ledger knows {found.others} answers of run {asked.run} by what it was compared "
            f"with ({asked.baseline}), not one for each of {asked.cases} cases; {later}"
        )
        raise ApiError("invalid_request", message, param="baseline")
    return found


def _check_untaken(known: Iterable[Certificate], made: Certificate) -> None:
    """ApiError where the run has borne out another version: a run tries one."""
    for it in known:
        if it.run == made.run and it.digest != made.digest:
            message = f"The run {made.run} was of {it.prompt}@{it.version}."
            raise ApiError("invalid_request", message, param="run")


async def _version(call: Call) -> Prompt:
    """The version that is meant, as it lies in the repository. ApiError."""
    asked: NewCertificate = call.body
    declared, reading = call.desk.plans.declared.prompts, call.desk.compiling.prompts
    if declared is None:
        message = "The plan file does not say where prompts are read from: write `prompts`."
        raise ApiError("not_found", message)

    def read() -> Prompt:
        return reading.at(declared).version(asked.prompt, asked.version)

    try:
        return await asyncio.to_thread(read)
    except ValueError as error:
        raise ApiError("invalid_request", f"{error}.", param="version") from error
