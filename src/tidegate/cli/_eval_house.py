"""What a run needs of a running Tidegate: a key of its own with a ceiling, and its receipts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import click
from msgspec import Struct

from tidegate.cli._client import Control
from tidegate.control.shapes import KeyMade, KeyRevoked, NewKey, NewKeyLimits, ReceiptPage
from tidegate.core import clock
from tidegate.core.purpose import EVAL
from tidegate.evals.asking import SESSION_ENDS
from tidegate.evals.receipts import PAGE, Page, Unread

# A key whose run is killed ends by itself.
KEY_LIFE_S: Final = 86_400.0


class RunKey(Struct, frozen=True):
    """The secret, and the id by which its receipts are found."""

    secret: str
    id: str


@contextmanager
def run_key(
    control: Control, name: str, routes: Sequence[str], most: Decimal, team: str | None
) -> Iterator[RunKey]:
    """A key that may spend at most that many dollars, revoked when the run has ended."""
    wanted = NewKey(
        name=name[:100],
        team=team,
        routes=tuple(dict.fromkeys(routes)),
        purpose=EVAL,
        expires_at_s=clock.wall_s() + KEY_LIFE_S,
        limits=NewKeyLimits(budget=f"{most:f}", budget_per="lifetime", budget_alerts=()),
    )
    made = control.post("/api/keys", KeyMade, wanted)
    try:
        yield RunKey(made.key, made.record.id)
    finally:
        try:
            control.post(f"/api/keys/{made.record.id}/revoke", KeyRevoked)
        except click.ClickException as error:
            click.echo(
                f"the key {made.record.id} of this run could not be revoked ({error.message}); it "
                f"ends by itself within a day, or by `tidegate key revoke {made.record.id}`",
                err=True,
            )


def newest_receipt(control: Control) -> int:
    """The number of the newest receipt in the ledger. click.ClickException."""
    return control.get("/api/receipts", ReceiptPage, limit=1).cursor


def spent_nanousd(control: Control, run: str, after: int, upto: int) -> int:
    """What a run has cost, with its judges and embeddings, by whatever key; the most that it can
    have been where that is all that is known. Its receipts lie between two numbers.
    click.ClickException."""
    found = 0
    for end in SESSION_ENDS.values():
        read, cursor = Ledger(control, f"{run}{end}"), after
        while cursor < upto:
            try:
                page = read(cursor)
            except Unread as error:
                raise click.ClickException(f"nobody knows what the run has cost: {error}") from None
            costs = [
                it.most_nanousd if it.cost_nanousd is None else it.cost_nanousd
                for it in page.receipts
            ]
            found += sum(it for it in costs if it is not None)
            if page.cursor <= cursor:
                break
            cursor = page.cursor
    return found


class Ledger:
    """The receipts of a run's answers, as `evals.receipts.Receipts` reads them: by their session,
    since a run that resumes has another key than before."""

    def __init__(self, control: Control, session: str) -> None:
        self._control = control
        self._session = session

    def __call__(self, cursor: int) -> Page:
        """Unread while control is away."""
        try:
            page = self._control.get(
                "/api/receipts", ReceiptPage, after=cursor, session_id=self._session, limit=PAGE
            )
        except click.ClickException as error:
            raise Unread(error.message) from error
        return Page(page.receipts, page.cursor)
