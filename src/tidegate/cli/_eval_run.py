"""One suite run and judged: what `tidegate eval run` and `tidegate gate` have in common."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from msgspec import Struct

from tidegate.cli import _judge_told
from tidegate.cli._client import Control
from tidegate.cli._eval_house import Ledger, newest_receipt, run_key, spent_nanousd
from tidegate.cli._eval_sides import json_pairs
from tidegate.cli._words import Usd
from tidegate.core import clock
from tidegate.evals import calibration
from tidegate.evals.asking import Gateway
from tidegate.evals.calibration import Calibration
from tidegate.evals.embedding import Embedder
from tidegate.evals.finding import Finding
from tidegate.evals.gate import GateBounds, Gated, judge, with_more
from tidegate.evals.gate_alone import PASS_RATE, judge_alone
from tidegate.evals.gate_contract import contract_kept
from tidegate.evals.gate_judges import judged_by, judges_of, prompt_tokens
from tidegate.evals.gate_wins import self_preference
from tidegate.evals.grading import Judge, Judges, Marker
from tidegate.evals.outcome import Paired
from tidegate.evals.receipts import Receipts
from tidegate.evals.report import Compared
from tidegate.evals.run import Course, Ended, Run
from tidegate.evals.run_file import RunFile, RunFileRefused, RunHead
from tidegate.evals.side import Side, SideName, writers
from tidegate.evals.suite import Suite
from tidegate.prompts.rendered import RenderRefused

FOLDER: Final = Path("eval-runs")
_NANOUSD: Final = 1_000_000_000


class Asked(Struct, frozen=True):
    """How a run goes, as the command line says."""

    gateway: str
    at_once: int
    most: Decimal
    team: str | None
    run_file: Path | None
    judge: str | None
    judge_parameters: tuple[tuple[str, str], ...]
    embeddings: str | None
    calibrations: tuple[Path, ...]
    early_stop: bool
    bounds: GateBounds
    pass_rate: float


class Done(Struct, frozen=True):
    """A run that has ended and what it came to."""

    run: str
    file: Path
    suite: Suite
    compared: Compared
    ended: Ended
    gated: Gated
    pairs: Sequence[Paired]
    judges: tuple[str, ...]


judge_parameters = click.option(
    "--judge-parameter",
    multiple=True,
    metavar="NAME=JSON",
    help="Member of requests to the judge. Repeatable.",
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a run goes."""
    path = click.Path(path_type=Path)
    options = (
        click.option("--gateway", envvar="TIDEGATE_GATEWAY", metavar="URL", help="Its address."),
        click.option("--at-once", type=click.IntRange(1, 1000), default=16, show_default=True),
        click.option(
            "--most-usd", type=Usd(), default="5", show_default=True, help="Dollars it may cost."
        ),
        click.option("--team", help="Whose budgets it counts for. Default: the plan's."),
        click.option("--repeats", type=click.IntRange(1, 100), help="Default: the suite's."),
        click.option(
            "--run-file",
            type=path,
            help="Where outcomes are kept; a run that is there already is resumed.",
        ),
        click.option("--judge", metavar="ROUTE", help="Who judges where a check needs that."),
        judge_parameters,
        click.option("--embeddings", metavar="ROUTE", help="Who makes vectors of texts."),
        click.option(
            "--calibration",
            type=path,
            multiple=True,
            help="From `tidegate judge calibrate`. Repeatable. Default: those that control keeps.",
        ),
        click.option(
            "--early-stop/--no-early-stop",
            default=True,
            show_default=True,
            help="Stop when the candidate is surely worse.",
        ),
        click.option("--margin", type=float, default=3.0, show_default=True, help="In points."),
        click.option(
            "--pass-rate",
            type=click.FloatRange(0, 1),
            default=PASS_RATE,
            show_default=True,
            help="Least share of cases that pass where there is no baseline.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def asked_of(given: Mapping[str, Any], gateway: str) -> Asked:
    margin = given["margin"] / 100
    if not 0 < margin <= 1:
        raise click.BadParameter("points are above 0 and at most 100", param_hint="--margin")
    return Asked(
        gateway,
        given["at_once"],
        given["most_usd"],
        given["team"],
        given["run_file"],
        given["judge"],
        tuple(sorted(json_pairs(given["judge_parameter"], "--judge-parameter").items())),
        given["embeddings"],
        given["calibration"],
        given["early_stop"],
        GateBounds(margin=margin),
        given["pass_rate"],
    )


def run_suite(suite: Suite, sides: Mapping[SideName, Side], asked: Asked, control: Control) -> Done:
    """Runs it to its end, resumed where its file is there. click.ClickException."""
    known = _calibrations(asked, control)
    calibrated = frozenset(it.judge for it in known if calibration.may_decide(it))
    head = RunHead(
        clock.IdSource().new(),
        suite.name,
        suite.digest(),
        {name: side.digest() for name, side in sides.items()},
        suite.repeats,
        _who_judges(asked),
        after=newest_receipt(control),
    )
    path = asked.run_file or FOLDER / f"{suite.name}-{head.run}.jsonl"
    try:
        made = writers(sides)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = RunFile(path, head)
    except RenderRefused as no:
        raise click.ClickException(f"the prompt cannot be rendered: {no}") from no
    except (RunFileRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    with file:
        routes = [side.route for side in sides.values()]
        routes += [it for it in (asked.judge, asked.embeddings) if it is not None]
        began = file.head
        spent = 0
        if began is not head:  # it goes on
            spent = spent_nanousd(control, began.run, began.after, head.after)
        left = asked.most - Decimal(spent) / _NANOUSD
        if left <= 0:
            raise click.ClickException(f"{path}: the run has cost ${asked.most} already")
        with run_key(control, f"eval {suite.name}", routes, left, asked.team) as key:
            gateway = Gateway(asked.gateway, key.secret, began.run, asked.at_once)
            by = (
                None if asked.judge is None else Judge(gateway, asked.judge, asked.judge_parameters)
            )
            vectors = None if asked.embeddings is None else Embedder(gateway, asked.embeddings)
            marker = Marker(Judges(by, calibrated, vectors))
            receipts = Receipts(Ledger(control, began.run), after=began.after)
            alpha = asked.bounds.alpha if asked.early_stop else None
            with _Bar(suite.name) as bar:
                course = Course(asked.at_once, alpha, receipts, bar.step)
                run = Run(suite, {name: made[name] for name in sides}, file, marker, course)
                bar.begin(len(run.left()))
                ended = _conducted(run, gateway, receipts, path)
        return _judged(run, sides, asked, ended, known)


def _who_judges(asked: Asked) -> str | None:
    """Routes and parameters; None where nobody does."""
    told = [] if asked.judge is None else [asked.judge]
    told += [f"{name}={it}" for name, it in asked.judge_parameters] if told else []
    told += [] if asked.embeddings is None else [f"embeddings: {asked.embeddings}"]
    return " ".join(told) or None


def _conducted(run: Run, gateway: Gateway, receipts: Receipts, path: Path) -> Ended:
    async def main() -> Ended:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with gateway, receipts:
            return await run.go(gateway)

    try:
        return uvloop.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo(f"interrupted; go on with --run-file {path}", err=True)
        raise click.exceptions.Exit(2) from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error}; nothing that was answered is lost") from error


def _judged(
    run: Run,
    sides: Mapping[SideName, Side],
    asked: Asked,
    ended: Ended,
    known: Sequence[Calibration],
) -> Done:
    pairs = run.pairs()
    alone = "baseline" not in sides
    gated = judge_alone(pairs, asked.pass_rate) if alone else judge(pairs, asked.bounds)
    more: list[Finding] = [*judged_by(pairs, known), *self_preference(pairs)]
    more += contract_kept(sides["candidate"], pairs)
    if not alone:
        more += prompt_tokens(sides["baseline"].prompt, sides["candidate"].prompt, run.suite.cases)
    before = "nothing" if alone else str(sides["baseline"])
    return Done(
        run.id,
        run.path,
        run.suite,
        Compared(run.suite.name, before, str(sides["candidate"])),
        ended,
        with_more(gated, more),
        pairs,
        tuple(sorted(judges_of(pairs))),
    )


def _calibrations(asked: Asked, control: Control) -> list[Calibration]:
    """Those of the files, or those that control keeps where no file is named. click.ClickException
    for a file that is none."""
    if not asked.calibrations:
        return [] if asked.judge is None else _judge_told.kept(control)
    found = []
    for file in asked.calibrations:
        try:
            found.append(calibration.read_calibration(file.read_bytes()))
        except (OSError, ValueError) as error:
            raise click.ClickException(f"{file}: {error}") from error
    return found


class _Bar:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def begin(self, answers: int) -> None:
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=answers, label=self._label, file=sys.stderr)
            self._bar.render_progress()

    def step(self) -> None:
        if self._bar is not None:
            self._bar.update(1)
