"""Says once that Tidegate serves, with a key to try it, and then shows the first call's receipt.

Runs in a thread of its own, which ends with the process: a greeting must not hold up an ending.
"""

import shutil
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import click
import msgspec

from tidegate.boot.welcome import Welcome
from tidegate.cli._client import Control
from tidegate.cli._latency_bar import picture
from tidegate.control.shapes import (
    GatewayList,
    KeyList,
    KeyMade,
    NewKey,
    PlanView,
    ReceiptPage,
)
from tidegate.core import clock
from tidegate.core.receipt import Receipt

KEY_NAME = "first key"
KEY_HOURS = 24
_LOOK_S = 0.1
_LONG_POLL_S = 20.0

T = TypeVar("T")


class Greeter:
    """Greets on `show`, one text at a time. `wait` sleeps; it is the tests' to replace."""

    def __init__(
        self,
        control: Callable[[], Control],
        base: Welcome,
        exposed: bool,
        show: Callable[[str], None],
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._open = control
        self._base = base
        self._exposed = exposed
        self._show = show
        self._wait = wait

    def start(self) -> None:
        threading.Thread(target=self.run, name="greeter", daemon=True).start()

    def run(self) -> None:
        with self._until(self._serving) as control:
            welcome = self._until(lambda: self._welcome(control))
            newest = self._until(lambda: control.get("/api/receipts", ReceiptPage, limit=1))
            self._show(welcome.text())
            receipt = self._first_success(control, newest.cursor)
        columns = shutil.get_terminal_size().columns
        self._show(f"The first call's receipt:\n{picture(receipt, columns)}\n")

    def _serving(self) -> Control | None:
        """Control, once a gateway obeys the plan that control has."""
        control = self._open()
        try:
            gateways = control.get("/api/gateways", GatewayList).gateways
        except click.ClickException:
            gateways = []
        if any(gateway.plan_version is not None for gateway in gateways):
            return control
        control.close()
        return None

    def _key(self, control: Control) -> str:
        """A key that ends in a day. Beyond loopback only where there is none yet, otherwise an
        empty text: what is printed there goes to logs that others read."""
        if self._exposed and control.get("/api/keys", KeyList, limit=1).keys:
            return ""
        expires_at_s = clock.wall_s() + KEY_HOURS * 3600
        wanted = NewKey(name=KEY_NAME, team="default", expires_at_s=expires_at_s)
        return control.post("/api/keys", KeyMade, wanted).key

    def _welcome(self, control: Control) -> Welcome:
        """What there is to say; the key is made last, so that none is made in vain. A control that
        stands by makes none."""
        plan = control.get("/api/plan", PlanView)
        fresh = "" if plan.leader is not None else self._key(control)
        return msgspec.structs.replace(
            self._base,
            route=plan.routes[0] if plan.routes else None,
            routes_total=len(plan.routes),
            key=fresh or None,
            key_hours=KEY_HOURS,
            leader=plan.leader,
        )

    def _first_success(self, control: Control, after: int) -> Receipt:
        while True:
            ask = partial(control.get, "/api/receipts", ReceiptPage, wait_s=_LONG_POLL_S)
            page: ReceiptPage = self._until(partial(ask, after=after))
            for receipt in page.receipts:
                if receipt.status == 200 and receipt.error_code is None:
                    return receipt
            after = page.cursor

    def _until(self, attempt: Callable[[], T | None]) -> T:
        """What `attempt` gives, tried again while control starts or restarts."""
        while True:
            try:
                result = attempt()
            except click.ClickException:
                result = None
            if result is not None:
                return result
            self._wait(_LOOK_S)
