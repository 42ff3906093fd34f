"""Decisions made again, from what is kept of them: the same view and memory, the same proposals."""

from collections.abc import Iterable

from msgspec import Raw
from sqlalchemy import Connection

from tidegate.control.observe import Watcher
from tidegate.control.shapes_releases import ProposalView, Replayed
from tidegate.core.controller import Proposal, Revise, Set
from tidegate.stores import decisions
from tidegate.stores.decisions import Kept


def replay(connection: Connection, watchers: Iterable[Watcher], decision: Kept) -> Replayed:
    """One decision, after those that its memory follows from."""
    by_name = {one.controller.name: one for one in watchers}
    watcher = by_name.get(decision.controller)
    if watcher is None:
        return _told(decision, None, f"this program has no controller {decision.controller}")
    memory: Raw | None = None
    proposals: tuple[Proposal, ...] = ()
    for one in decisions.chain(connection, decision.seq):
        memory = Raw(one.memory) if one.memory is not None else memory
        if memory is None:
            break
        try:
            view = watcher.refilled(connection, one.view.encode(), memory)
        except LookupError as error:
            return _told(decision, None, str(error))
        made = watcher.controller.decide(view, memory)
        memory, proposals = made.memory, made.proposals
    if memory is None:
        return _told(decision, None, "the memory before it is not kept any more")
    same = proposals == decision.proposals
    why = "" if same else "it came to " + "; ".join(f"{it.what}: {it.why}" for it in _of(proposals))
    return _told(decision, same, why)


def in_words(proposal: Proposal) -> ProposalView:
    """What a controller wants, for people."""
    if isinstance(proposal, Set):
        held = f"hold {proposal.lever} of {proposal.scope or 'everything'} at {proposal.value:g}"
        return ProposalView(held, proposal.reason)
    if isinstance(proposal, Revise):
        return ProposalView(
            f"{proposal.kind} {proposal.rollout or proposal.route}", proposal.reason
        )
    done = "no longer " if proposal.resolved else ""
    return ProposalView(f"tell {done}({proposal.severity}) {proposal.title}", proposal.text)


def _of(proposals: Iterable[Proposal]) -> list[ProposalView]:
    return [in_words(one) for one in proposals]


def _told(decision: Kept, same: bool | None, why: str) -> Replayed:
    return Replayed(
        seq=decision.seq,
        controller=decision.controller,
        subject=decision.subject,
        at_s=decision.at_s,
        epoch=decision.epoch,
        same=same,
        why=why,
        proposals=_of(decision.proposals),
    )
