"""An import is killed at whatever moment: none of it is there, or all of it is."""

import hashlib
import signal
import threading
import time
from pathlib import Path

import httpx2
import msgspec
from sqlalchemy import func, select
from tests.control.conftest import PLAN
from tests.control.started import Started

from tidegate.control.credentials import create_state
from tidegate.core.key_limits import KeyLimits
from tidegate.core.layout import Layout
from tidegate.core.moved import Moved, MovedBudget, MovedKey, MovedSpend, MovedTeam
from tidegate.stores import database
from tidegate.stores.schema import audit, feed, keys
from tidegate.stores.schema_budgets import budgets, teams
from tidegate.stores.schema_imports import imported, openings

TEAMS, KEYS = 20, 500


def a_house() -> Moved:
    names = [f"team-{number}" for number in range(TEAMS)]
    limits = KeyLimits(10**9, "month")
    digests = [hashlib.sha256(b"sk-%d" % number).hexdigest() for number in range(KEYS)]
    return Moved(
        "litellm",
        [
            MovedKey(sha256, f"app-{at}", names[at % TEAMS], ("*",), 1.0, limits=limits)
            for at, sha256 in enumerate(digests)
        ],
        [MovedTeam(name, name, ("*",), 1.0) for name in names],
        [MovedBudget(f"team.{name}", 10**12, {"team": name}, "month") for name in names],
        [MovedSpend({"team": name}, 1.0, 10**9) for name in names],
        apply=True,
    )


def counts(layout: Layout) -> dict[str, int]:
    """How many rows there are of everything that an import writes."""
    engine = database.open_engine(layout.ledger_db)
    tables = (keys, teams, budgets, openings, imported)
    with database.reading(engine) as connection:
        found = {
            it.name: connection.execute(select(func.count()).select_from(it)).scalar_one()
            for it in tables
        }
        of_keys = select(func.count()).where(feed.c.kind == "key")
        found["feed"] = connection.execute(of_keys).scalar_one()
        noted = select(func.count()).where(audit.c.what == "import")
        found["audit"] = connection.execute(noted).scalar_one()
    engine.dispose()
    return found


NOTHING = dict.fromkeys(("keys", "teams", "budgets", "openings", "imported", "feed", "audit"), 0)
ALL = {
    "keys": KEYS,
    "teams": TEAMS,
    "budgets": TEAMS,
    "openings": TEAMS,
    "imported": KEYS + 2 * TEAMS,
    "feed": KEYS,
    "audit": 1,
}


def test_what_is_killed_in_the_middle_left_nothing_and_is_done_again(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    create_state(layout)
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(PLAN.format(route="chat"))
    content = msgspec.json.encode(a_house())
    seen = [NOTHING]
    for wait_s in (0.04, None):
        control = Started(layout, plan)
        control.until(lambda it=control: bool(it.version()))
        done = threading.Event()
        asking = threading.Thread(target=_ask, args=(layout, content, done))
        asking.start()
        if wait_s is None:
            assert done.wait(30)
        else:
            time.sleep(wait_s)
        control.process.send_signal(signal.SIGKILL)
        control.end()
        asking.join()
        seen.append(counts(layout))
        times = seen[-2]["audit"] + 1  # it may be done before it is killed, and is then done again
        assert seen[-1] in (seen[-2], {**ALL, "audit": times})
    assert seen[-1] == {**ALL, "audit": times}


def _ask(layout: Layout, content: bytes, done: threading.Event) -> None:
    url = (layout.run / "control.url").read_text().strip()
    token = layout.operator_token.read_text().strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    try:
        answer = httpx2.post(f"{url}/api/imports", content=content, headers=headers, timeout=30)
    except httpx2.HTTPError:
        return
    assert answer.status_code == 200, answer.text
    done.set()
