"""Prompts in control: read for each plan that is compiled, and looked at for news in between.

A repository that cannot be read changes nothing: what was read last serves on, and why is told in
the log, on `/metrics` and by `tidegate prompt status`.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.certified import Uncertified
from tidegate.control.certifying import Certifying
from tidegate.control.compiling import Compiling
from tidegate.control.plans import NoPlan, Plans
from tidegate.core import clock
from tidegate.core.compile import PlanRefused
from tidegate.core.controller import Tell
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.prompts.reading import Known, Reading
from tidegate.stores import database, notices, prompts
from tidegate.stores.errors import StoreError

PAIRS_S = 60.0
_IDLE_S = 1.0

_log = logging.getLogger(__name__)


def reading(engine: Engine) -> Reading:
    """What every tagged version said first is kept in the store, so that it never says more."""

    def known() -> Known:
        with database.reading(engine) as connection:
            return prompts.known_versions(connection)

    def note(fresh: Known) -> None:
        with database.writing(engine) as connection:
            prompts.note_versions(connection, fresh, clock.wall_s())

    return Reading(known, note)


class Prompting:
    """Of the control that leads; one that stands by does nothing. Its loops run until cancelled,
    and end with nothing that goes wrong."""

    def __init__(
        self,
        engine: Engine,
        plans: Plans,
        compiling: Compiling,
        certifying: Certifying,
        leads: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._plans = plans
        self._compiling = compiling
        self._certifying = certifying
        self._leads = leads
        self._told: tuple[str, ...] = ()
        self._behind: str | None = None
        self._pairs: set[tuple[str, str]] = set()

    async def watch(self) -> None:
        """Publish what the repository has and the plan has not."""
        while True:
            declared = self._plans.declared.prompts
            await asyncio.sleep(_IDLE_S if declared is None else declared.poll_s)
            try:
                if self._leads() and declared is not None:
                    await self._look(declared)
                self._behind = None
            except (StoreError, OSError, PlanRefused, NoPlan) as error:
                if str(error) != self._behind:  # each look tries again
                    _log.warning("the plan does not keep up with its prompts: %s", error)
                self._behind = str(error)
            except Exception:
                _log.exception("prompts could not be looked at")

    async def _look(self, declared: DeclaredPrompts) -> None:
        try:
            now = await asyncio.to_thread(self._compiling.prompts.at, declared)
        except ValueError:
            now = None
        self._tell()
        plan = self._plans.current
        await asyncio.to_thread(self._certifying.note, plan)
        news = now is not None and await asyncio.to_thread(self._compiling.lacks, now, plan)
        if news or await asyncio.to_thread(self._certifying.is_cleared):
            await self._plans.amend(self._compiling.changing(lambda _: None))

    async def watch_pairs(self) -> None:
        """Tell people of what is served as certified, and is not."""
        while True:
            await asyncio.sleep(PAIRS_S)
            declared = self._plans.declared.prompts
            try:
                if self._leads() and declared is not None and declared.certificates != "off":
                    await asyncio.to_thread(self.look_at_pairs, clock.wall_s())
            except StoreError as error:
                _log.warning("certificates cannot be looked at: %s", error)
            except Exception:
                _log.exception("certificates were not looked at")

    def look_at_pairs(self, now_s: float) -> None:
        """StoreError."""
        found = self._certifying.uncertified(self._plans.current)
        gone = self._pairs - found.keys()
        with database.writing(self._engine) as connection:
            for prompt, model in found.keys() | gone:
                missing = found.get((prompt, model))
                notices.note(connection, _tell_pair(prompt, model, missing), now_s)
        self._pairs = set(found)

    def _tell(self) -> None:
        """Each problem once, when it comes."""
        found = (*problems(self._compiling.prompts), *self._certifying.problems)
        for problem in found:
            if problem not in self._told:
                _log.warning("prompts: %s", problem)
        self._told = found


def _tell_pair(prompt: str, model: str, missing: Uncertified | None) -> Tell:
    return Tell(
        topic="prompt",
        key=f"prompt/{prompt}/{model}",
        severity="ticket",
        title=f"uncertified_pair: the prompt {prompt} at {model}",
        text="It is certified." if missing is None else f"{missing}. It serves on.",
        resolved=missing is None,
    )


def problems(found: Reading) -> tuple[str, ...]:
    """What is wrong with the prompts as they lie there; what served before serves on."""
    snapshot = found.snapshot
    of_files = () if snapshot is None else tuple(str(problem) for problem in snapshot.problems)
    return of_files if found.failure is None else (found.failure, *of_files)


_METRICS = """\
# HELP tidegate_prompts Prompts that have a tag.
# TYPE tidegate_prompts gauge
tidegate_prompts {prompts}
# HELP tidegate_prompt_problems What is wrong with prompts as they lie in their repository.
# TYPE tidegate_prompt_problems gauge
tidegate_prompt_problems {problems}
"""


def render(found: Reading) -> bytes:
    """The series in Prometheus' text form; none while no prompts were read."""
    snapshot = found.snapshot
    if snapshot is None and found.failure is None:
        return b""
    count = 0 if snapshot is None else len(snapshot.registry.tagged)
    return _METRICS.format(prompts=count, problems=len(problems(found))).encode()
