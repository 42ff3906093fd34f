"""CPU of assigning a request to an arm, and of compiling a plan of 200 routes that each have a
release under way and a history of revisions.

Each figure is the least of several rounds, because others work on the machine too.
"""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec
from msgspec import Raw

from tidegate.core.added import Added
from tidegate.core.ask import Ask
from tidegate.core.change import Kind, Revision
from tidegate.core.compile import compile_plan
from tidegate.core.declared import Declared
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.facts import Facts, Quote
from tidegate.core.key import KeyRecord
from tidegate.core.plan import Plan
from tidegate.core.receipt import Receipt
from tidegate.core.rollout import Rollout
from tidegate.core.route_members import members_of, moved_names
from tidegate.gateway.assign import assign
from tidegate.gateway.prepared import Preparer
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.stores.memory_counters import memory_counters

ROUNDS = 15
CALLS = 2000
ROUTES = 200
EARLIER = 4  # releases of each route before the one under way
COMPILE_BAR_MS = 500.0
ASSIGN_BAR_US = 15.0
_URL = "http://127.0.0.1:8000/v1"


def declared() -> Declared:
    targets = {f"t{n}": DeclaredTarget("engine", f"m{n}", price="free") for n in range(2 * ROUTES)}
    return Declared(
        providers={"engine": DeclaredProvider(kind="openai_compatible", base_url=_URL)},
        targets=targets,
        routes={f"r{n}": DeclaredRoute(f"t{n}") for n in range(ROUTES)},
    )


def history(plan: Declared) -> Added:
    """Of each route some releases that were rolled back, and one that is under way."""
    revisions: list[Revision] = []
    rollouts = {}
    for n, (name, route) in enumerate(plan.routes.items()):
        moved = DeclaredRoute(f"t{ROUTES + n}", system_prompt="Be brief.")
        members = members_of(moved, moved_names(["target", "system_prompt"]))
        rollout = Rollout(f"{name}/next", name, "digest", "ana", members)
        rollouts[rollout.id] = rollout
        kinds: list[Kind] = [*(["start", "withdraw"] * EARLIER), "start"]  # type: ignore[list-item]
        for kind in kinds:
            number = len(revisions) + 1
            revisions.append(
                Revision(
                    seq=number,
                    id=f"rev-{number}",
                    kind=kind,
                    route=name,
                    author="bench",
                    reason="",
                    at_s=1.0,
                    rollout=rollout.id,
                    base=members_of(route, members),
                    salt="salt",
                )
            )
    return Added(revisions=tuple(revisions), rollouts=rollouts)


def compiled(plan: Declared, added: Added) -> Plan:
    facts = Facts(lambda _dialect, _url, _model: Quote(), added=added)
    return compile_plan(plan, version=1, now_s=1.0, facts=facts)


def least_s(work: Callable[[], object]) -> float:
    took_s = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        work()
        took_s.append(time.process_time() - started_s)
    return min(took_s)


def assigning(route: PreparedRoute, turns: int, end_user: str | None) -> Callable[[], None]:
    """Requests of a conversation of so many turns, each of which gets its arm."""
    words = "How high does the tide rise at the pier tomorrow in the morning? " * 4
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": f"{n}: {words}"} for n in range(turns)]
    members = {"messages": Raw(msgspec.json.encode(said))}
    ask = Ask("chat", msgspec.json.encode(members), members, "r0")
    key = KeyRecord("key", b"", 1, "k", "team", 1.0, ("*",))

    def work() -> None:
        for _ in range(CALLS):
            assign(ask, key, {}, route, Receipt("id", 1.0, "g", "chat", end_user=end_user))

    return work


def run() -> int:
    """Prints the figures; 1 where a bar is not met."""
    plan = declared()
    added = history(plan)
    bare_ms = least_s(lambda: compiled(plan, Added())) * 1000
    whole_ms = least_s(lambda: compiled(plan, added)) * 1000
    what = f"compile {ROUTES} routes, each with a release; {len(added.revisions)} revisions"
    told = f"(bar {COMPILE_BAR_MS:g} ms; without any {bare_ms:.1f} ms)"
    sys.stdout.write(f"{what:65} {whole_ms:7.1f} ms  {told}\n")
    prepared = asyncio.run(Preparer({}, memory_counters).prepare(compiled(plan, added)))
    route, missed = prepared.routes["r0"], whole_ms > COMPILE_BAR_MS
    if route.candidate is None:
        raise SystemExit("the route has no release under way")
    route.candidate.weight = 0.05
    for turns, end_user, whose in ((1, "ada", "a user"), (9, "ada", "a user"), (9, None, "nobody")):
        found_us = least_s(assigning(route, turns, end_user)) / CALLS * 1e6
        missed = missed or found_us > ASSIGN_BAR_US
        what = f"assign a request of {turns} turns, of {whose} that is named"
        sys.stdout.write(f"{what:65} {found_us:7.2f} us  (bar {ASSIGN_BAR_US:g} us)\n")
    return int(missed)
