"""What a gateway reports of itself: gauges of now, and counters that no receipt tells of."""

import os

from tidegate.core import clock
from tidegate.core.feed import Status
from tidegate.core.priority import PRIORITIES
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.captures import Captures
from tidegate.gateway.feedback import Hearing
from tidegate.gateway.handovers import Handovers
from tidegate.gateway.identities import Identities
from tidegate.gateway.pick import Queues
from tidegate.gateway.prepared import Preparer
from tidegate.gateway.prober import Prober
from tidegate.gateway.shared_store import SharedStores
from tidegate.gateway.standing import Standing
from tidegate.gateway.vector_stores import VectorStores
from tidegate.gateway.world import World

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Vitals:
    """Gathers one `feed.Status`. `lag_s` is kept by the ticker: how late the loop came round."""

    def __init__(
        self,
        world: World,
        preparer: Preparer,
        stores: SharedStores | None = None,
        prober: Prober | None = None,
    ) -> None:
        self._stores = stores
        self._prober = prober
        self._world = world
        self._preparer = preparer
        self.hearing: Hearing | None = None
        self.handovers: Handovers | None = None
        self.lag_max_s = 0.0
        self.stalls = 0

    def late(self, lag_s: float) -> None:
        self.lag_max_s = max(self.lag_max_s, lag_s)

    def status(self) -> Status:
        """The gateway now. The greatest lag is that since the last call."""
        world, journal = self._world, self._world.journal
        gauges = {
            "tidegate_connections": float(len(world.listener.connections)),
            "tidegate_requests_in_flight": float(world.listener.in_work()),
            "tidegate_streams_open": float(len(world.relays)),
            "tidegate_loop_lag_seconds": self.lag_max_s,
            "tidegate_journal_bytes": float(journal.bytes_on_disk),
            "tidegate_journal_full": float(journal.full),
            "tidegate_keys_known": float(len(world.keys)),
            "tidegate_draining": float(world.listener.draining),
            "tidegate_plan_version": float(world.plan.plan.version if world.plan else 0),
            "tidegate_changes_in_force": float(world.levers.count),
        }
        self.lag_max_s = 0.0
        _note_targets(world.queues, gauges)
        gauges["tidegate_classes_served"] = float(world.pressure.admitted)
        for (replica, _), pool in self._preparer.pools.items():
            label = f"|replica={replica.name}|host={replica.host}:{replica.port}"
            gauges[f"tidegate_pool_connections{label}"] = float(pool.open)
            gauges[f"tidegate_pool_in_flight{label}"] = float(pool.in_flight)
            gauges[f"tidegate_pool_waiting{label}"] = float(pool.waiting)
        counters = {
            f"tidegate_refused_total|code={code}": float(count)
            for code, count in world.listener.refusals.items()
        }
        for name, places in world.queues:
            for why, count in places.entrance.shed.items():
                label = f"|target={name}|reason={why}"
                counters[f"tidegate_target_shed_total{label}"] = float(count)
        _note_standing(self._preparer.standing, gauges, counters)
        _note_identities(self._preparer.identities, gauges)
        for known in self._preparer.issuers or ():
            heard_at_s, label = known.held.heard_at_s, f"|issuer={known.issuer.name}"
            if heard_at_s is not None:
                gauges[f"tidegate_issuer_keys_timestamp_seconds{label}"] = heard_at_s
            held = known.held.key_set
            gauges[f"tidegate_issuer_keys{label}"] = float(sum(map(len, held.keys.values())))
            gauges[f"tidegate_issuer_keys_skipped{label}"] = float(len(held.skipped))
        if self._prober is not None:
            _note_probes(self._prober, gauges, counters)
        _note_cache(world.cache, gauges, counters)
        _note_captures(world.captures, gauges, counters)
        if self.handovers is not None:
            _note_handovers(self.handovers, gauges, counters)
        _note_batches(world.batches, counters)
        if self.hearing is not None:
            counters["tidegate_feedback_taken_total"] = float(self.hearing.taken)
            gauges["tidegate_feedback_spool_bytes"] = float(self.hearing.spool.bytes_on_disk)
        counters["tidegate_shed_for_pressure_total"] = float(world.pressure.refused)
        counters["tidegate_journal_receipts_total"] = float(journal.appended)
        counters["tidegate_journal_write_errors_total"] = float(journal.write_errors)
        counters["tidegate_loop_stalls_total"] = float(self.stalls)
        counters["process_cpu_seconds_total"] = sum(os.times()[:2])
        resident = resident_bytes()
        if resident is not None:
            gauges["process_resident_memory_bytes"] = float(resident)
        store = None if self._stores is None else self._stores.current
        if store is not None:
            gauges |= store.counters.gauges()
            counters |= store.counters.counters()
        return Status(gauges, counters)


def _note_targets(queues: Queues, gauges: dict[str, float]) -> None:
    for name, places in queues:
        label = f"|target={name}"
        gauges[f"tidegate_target_in_flight{label}"] = float(places.in_flight)
        gauges[f"tidegate_target_limit{label}"] = float(places.limit.limit)
        for priority, count in zip(PRIORITIES, places.line.counts, strict=True):
            gauges[f"tidegate_target_waiting{label}|priority={priority}"] = float(count)


def _note_captures(
    captures: Captures | None, gauges: dict[str, float], counters: dict[str, float]
) -> None:
    if captures is None:
        return
    gauges["tidegate_capture_spool_bytes"] = float(captures.spool.bytes_on_disk)
    counters["tidegate_captured_total"] = float(captures.kept)
    for why, count in captures.dropped.items():
        counters[f"tidegate_capture_dropped_total|reason={why}"] = float(count)


def _note_handovers(
    handovers: Handovers, gauges: dict[str, float], counters: dict[str, float]
) -> None:
    gauges["tidegate_handovers_waiting"] = float(handovers.waiting)
    counters["tidegate_handovers_sent_total"] = float(handovers.sent)
    counters["tidegate_handover_failures_total"] = float(handovers.failed)
    for why, count in handovers.lost.items():
        counters[f"tidegate_handovers_lost_total|reason={why}"] = float(count)


def _note_batches(batches: BatchDesk, counters: dict[str, float]) -> None:
    for target, count in batches.created.items():
        counters[f"tidegate_batches_created_total|target={target}"] = float(count)
    for (target, outcome), count in batches.lines.items():
        label = f"|target={target}|outcome={outcome}"
        counters[f"tidegate_batch_lines_total{label}"] = float(count)


def _note_cache(cache: AnswerCache, gauges: dict[str, float], counters: dict[str, float]) -> None:
    gauges["tidegate_cache_flights"] = float(len(cache.flights))
    for (route, tier, outcome), count in cache.lookups.items():
        label = f"|route={route}|tier={tier}|outcome={outcome}"
        counters[f"tidegate_cache_lookups_total{label}"] = float(count)
    for (route, outcome), count in cache.items.items():
        label = f"|route={route}|outcome={outcome}"
        counters[f"tidegate_cache_items_total{label}"] = float(count)
    for route, worth in cache.chunks.items():
        counters[f"tidegate_cache_chunks_looked_seconds_total|route={route}"] = worth.looked_s
        counters[f"tidegate_cache_chunks_saved_seconds_total|route={route}"] = worth.saved_s
        saved_usd = worth.saved_nanousd / NANOUSD_PER_USD
        counters[f"tidegate_cache_chunks_saved_usd_total|route={route}"] = saved_usd
        for what, untold in (("time", worth.untold_time), ("money", worth.untold_money)):
            label = f"|route={route}|what={what}"
            counters[f"tidegate_cache_chunks_untold_total{label}"] = float(untold)
    for route, count in cache.kept.items():
        counters[f"tidegate_cache_kept_total|route={route}"] = float(count)
    for (route, why), count in cache.unkept.items():
        counters[f"tidegate_cache_not_kept_total|route={route}|reason={why}"] = float(count)
    for (route, tier), held in cache.memory.items():
        label = f"|route={route}|tier={tier}"
        gauges[f"tidegate_cache_entries{label}"] = float(len(held))
        gauges[f"tidegate_cache_bytes{label}"] = float(held.size)
        counters[f"tidegate_cache_evicted_total{label}"] = float(held.evicted)
        counters[f"tidegate_cache_invalidated_total{label}"] = float(held.invalidated)
    for source, count in cache.invalidations.heard.items():
        counters[f"tidegate_cache_invalidations_total|source={source}"] = float(count)
    for (route, outcome), count in cache.semantic.lookups.items():
        label = f"|route={route}|outcome={outcome}"
        counters[f"tidegate_cache_semantic_lookups_total{label}"] = float(count)
    for route, why in cache.semantic.off():
        gauges[f"tidegate_cache_semantic_off|route={route}|reason={why}"] = 1.0
    _note_vectors(cache.vectors, gauges, counters)
    shared = cache.shared
    if shared is not None:
        gauges["tidegate_cache_store_up"] = float(shared.open)
        counters["tidegate_cache_store_errors_total"] = float(shared.errors)
        counters["tidegate_cache_store_damaged_total"] = float(shared.damaged)
        counters["tidegate_cache_store_full_total"] = float(shared.full)
        counters["tidegate_cache_store_evicted_total"] = float(shared.evicted)
        counters["tidegate_cache_store_void_total"] = float(shared.void)
        counters["tidegate_cache_store_purged_total"] = float(shared.purged)
        malformed = shared.invalidations.malformed
        counters["tidegate_cache_invalidations_malformed_total"] = float(malformed)


def _note_vectors(
    vectors: VectorStores, gauges: dict[str, float], counters: dict[str, float]
) -> None:
    for route, held in vectors.memory.items():
        gauges[f"tidegate_cache_vectors|route={route}"] = float(len(held))
        gauges[f"tidegate_cache_vectors_bytes|route={route}"] = float(held.size)
        counters[f"tidegate_cache_vectors_evicted_total|route={route}"] = float(held.evicted)
    if vectors.memory:
        counters["tidegate_cache_vectors_not_searched_total"] = float(vectors.not_searched)
    shared, disk = vectors.shared, vectors.disk
    if shared is not None:
        counters["tidegate_cache_vector_store_errors_total"] = float(shared.errors)
        counters["tidegate_cache_vector_store_damaged_total"] = float(shared.damaged)
        counters["tidegate_cache_vector_store_full_total"] = float(shared.full)
        counters["tidegate_cache_vector_store_evicted_total"] = float(shared.evicted)
    if disk is not None and disk.file is not None:
        counters["tidegate_cache_file_restored_total"] = float(disk.restored)
        counters["tidegate_cache_file_damaged_total"] = float(disk.file.damaged)
        counters["tidegate_cache_file_lost_total"] = float(disk.file.lost)


def _note_standing(
    standing: Standing, gauges: dict[str, float], counters: dict[str, float]
) -> None:
    """What is left alone of each target, and what was not sent again for want of a budget."""
    now_s = clock.monotonic_s()
    for name, it in standing.targets():
        label = f"|target={name}"
        gauges[f"tidegate_target_left_alone{label}"] = float(it.tripped.count)
        gauges[f"tidegate_credentials_resting{label}"] = float(it.resting(now_s))
        counters[f"tidegate_breakers_opened_total{label}"] = float(it.opened())
    for rollout, release in standing.releases():
        label, copies = f"|rollout={rollout}", release.copies
        counters[f"tidegate_shadow_sent_total{label}"] = float(copies.sent)
        for why, count in copies.skipped.items():
            counters[f"tidegate_shadow_skipped_total{label}|reason={why}"] = float(count)
    for name, budget in standing.budgets():
        if budget.refused:
            counters[f"tidegate_retries_refused_total|route={name}"] = float(budget.refused)


def _note_identities(identities: Identities, gauges: dict[str, float]) -> None:
    """How long tokens are good still; nothing of one that has never come."""
    for one in identities:
        label = f"|provider={one.provider}"
        gauges[f"tidegate_identity_ready{label}"] = float(one.lease is not None)
        gauges[f"tidegate_identity_failures{label}"] = float(one.failures)
        if one.left_s is not None:
            gauges[f"tidegate_identity_left_seconds{label}"] = one.left_s


def _note_probes(prober: Prober, gauges: dict[str, float], counters: dict[str, float]) -> None:
    """What probes have shown of each target; nothing where none has shown anything."""
    now_s = clock.monotonic_s()
    for name, probed in prober:
        label = f"|target={name}"
        for (replica, credential), part in probed.parts.items():
            if part.good is not None:
                at = f"{label}|replica={replica}|credential={credential}"
                gauges[f"tidegate_probe_up{at}"] = float(part.good)
        availability = probed.availability(now_s)
        if availability is not None:
            gauges[f"tidegate_probe_availability{label}"] = availability
        if probed.last_good_at_s is not None:
            gauges[f"tidegate_probe_last_success_timestamp_seconds{label}"] = probed.last_good_at_s
        if probed.ttft_s is not None:
            gauges[f"tidegate_probe_ttft_seconds{label}"] = probed.ttft_s
        for why, count in probed.skipped.items():
            counters[f"tidegate_probes_skipped_total{label}|reason={why}"] = float(count)


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read every second
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return None
