"""What gateways report of themselves, labelled by gateway; a silent one vanishes."""

import re
from collections.abc import Callable

from msgspec import Struct
from prometheus_client.core import Metric

from tidegate.core import clock
from tidegate.core.feed import STATUS_S, Status
from tidegate.record.series import Cell, Kind, Labels, Spec, exposed

STALE_S = 5 * STATUS_S
MAX_SERIES_A_GATEWAY = 2000

_NAME = re.compile(r"[a-z][a-z0-9_]*")

# name -> (unit, meaning) of what a gateway of this version reports.
KNOWN: dict[str, tuple[str, str]] = {
    "tidegate_connections": ("connections", "Client connections that are open."),
    "tidegate_requests_in_flight": ("requests", "Requests that are being worked on."),
    "tidegate_streams_open": ("streams", "Streamed answers under way."),
    "tidegate_loop_lag_seconds": ("seconds", "Greatest delay of the loop since the last report."),
    "tidegate_loop_stalls_total": ("stalls", "Times the loop stood still for too long."),
    "tidegate_journal_bytes": ("bytes", "Journal on disk."),
    "tidegate_journal_full": ("0 or 1", "Whether new paid work is refused for the journal's sake."),
    "tidegate_journal_receipts_total": ("receipts", "Receipts appended to the journal."),
    "tidegate_journal_write_errors_total": ("errors", "Journal writes or syncs that failed."),
    "tidegate_keys_known": ("keys", "Keys held in memory."),
    "tidegate_draining": ("0 or 1", "Whether the gateway takes no new connections."),
    "tidegate_plan_version": ("version", "The plan that the gateway obeys."),
    "tidegate_changes_in_force": ("changes", "Changes that hold a lever in this gateway."),
    "tidegate_pool_connections": ("connections", "Connections open to a replica."),
    "tidegate_pool_in_flight": ("requests", "Requests on their way at a replica."),
    "tidegate_pool_waiting": ("requests", "Requests that wait for a connection to a replica."),
    "tidegate_target_in_flight": ("requests", "Requests that have a place at a target."),
    "tidegate_target_limit": ("requests", "Places at a target, as set or as learnt."),
    "tidegate_target_waiting": ("requests", "Requests in line for a target, by priority."),
    "tidegate_target_shed_total": ("requests", "Requests refused by a target's line, by reason."),
    "tidegate_target_left_alone": ("parts", "Replicas and credentials whose breaker is open."),
    "tidegate_credentials_resting": ("credentials", "Credentials that a provider has refused."),
    "tidegate_identity_left_seconds": ("seconds", "How long an identity's token is good still."),
    "tidegate_identity_ready": ("0 or 1", "Whether an identity has a token that is good."),
    "tidegate_identity_failures": ("times", "Times in a row that signing in has failed."),
    "tidegate_breakers_opened_total": ("times", "Times that a breaker of a target has opened."),
    "tidegate_retries_refused_total": ("attempts", "Attempts that a route's budget refused."),
    "tidegate_probe_up": ("0 or 1", "Whether the last probe had a good answer."),
    "tidegate_probe_availability": ("ratio", "Good ones of the last hour's probes."),
    "tidegate_probe_last_success_timestamp_seconds": ("seconds", "When a probe was good last."),
    "tidegate_probe_ttft_seconds": ("seconds", "Time to the first token of the last good probe."),
    "tidegate_issuer_keys": ("keys", "Public keys of an issuer of tokens that are held."),
    "tidegate_issuer_keys_skipped": (
        "keys",
        "Keys of an issuer that are left out, for being broken or too many.",
    ),
    "tidegate_issuer_keys_timestamp_seconds": (
        "seconds",
        "When an issuer's keys were last heard of.",
    ),
    "tidegate_probes_skipped_total": ("probes", "Probes that were due and not sent, by reason."),
    "tidegate_shadow_sent_total": ("requests", "Copies of requests sent to a release."),
    "tidegate_shadow_skipped_total": ("requests", "Copies that were drawn and not sent."),
    "tidegate_handovers_waiting": ("handovers", "Handovers on their way to people."),
    "tidegate_handovers_sent_total": ("handovers", "Handovers that their address has taken."),
    "tidegate_handover_failures_total": ("posts", "Posts of handovers that were not taken."),
    "tidegate_handovers_lost_total": ("handovers", "Handovers not taken or given up, by reason."),
    "tidegate_captured_total": ("requests", "Requests kept with what was said."),
    "tidegate_capture_dropped_total": ("requests", "Requests drawn to be kept and not, by reason."),
    "tidegate_capture_spool_bytes": ("bytes", "Captures on disk, on their way to the recorder."),
    "tidegate_cache_lookups_total": ("requests", "Requests of routes that keep answers."),
    "tidegate_cache_items_total": ("items", "Items of embeddings, by whether they were kept."),
    "tidegate_cache_chunks_looked_seconds_total": ("seconds", "What callers waited for chunks."),
    "tidegate_cache_chunks_saved_seconds_total": ("seconds", "What chunks found had taken."),
    "tidegate_cache_chunks_saved_usd_total": ("USD", "What chunks found had cost."),
    "tidegate_cache_chunks_untold_total": ("chunks", "Chunks found of which nobody told that."),
    "tidegate_cache_kept_total": ("answers", "Answers that were kept to be given again."),
    "tidegate_cache_not_kept_total": ("answers", "Answers that were not kept, by reason."),
    "tidegate_cache_evicted_total": ("answers", "Kept answers that made room for others."),
    "tidegate_cache_semantic_lookups_total": ("requests", "Questions that were compared, or not."),
    "tidegate_cache_semantic_off": ("1", "Routes whose semantic tier cannot work now, by reason."),
    "tidegate_cache_entries": ("answers", "Kept answers in memory."),
    "tidegate_cache_bytes": ("bytes", "What kept answers take in memory."),
    "tidegate_cache_store_up": ("0 or 1", "Whether the shared store of answers can be asked."),
    "tidegate_cache_store_errors_total": ("calls", "Calls of that store without an answer."),
    "tidegate_cache_store_damaged_total": ("answers", "What lay there and was no answer."),
    "tidegate_cache_store_full_total": ("answers", "Answers for which it had no room."),
    "tidegate_cache_store_evicted_total": ("answers", "Answers there that made room for others."),
    "tidegate_cache_store_void_total": ("answers", "What lay there and was invalidated."),
    "tidegate_cache_store_purged_total": ("answers", "Invalidated answers taken out of it."),
    "tidegate_cache_vectors": ("questions", "Questions in memory that can be found."),
    "tidegate_cache_vectors_bytes": ("bytes", "What they and their vectors take in memory."),
    "tidegate_cache_vectors_evicted_total": ("questions", "Questions that made room for others."),
    "tidegate_cache_vectors_not_searched_total": (
        "searches",
        "Searches of memory that came too late or found too much in line.",
    ),
    "tidegate_cache_vector_store_errors_total": (
        "calls",
        "Calls of the shared store of vectors without an answer.",
    ),
    "tidegate_cache_vector_store_damaged_total": (
        "questions",
        "What lay there and was not what was put.",
    ),
    "tidegate_cache_vector_store_full_total": (
        "questions",
        "Questions that it, or the line before it, had no room for.",
    ),
    "tidegate_cache_vector_store_evicted_total": (
        "questions",
        "Questions there that made room for others.",
    ),
    "tidegate_cache_file_restored_total": ("rows", "What came back from disk after the start."),
    "tidegate_cache_file_damaged_total": ("rows", "Rows on disk that were not what was put."),
    "tidegate_cache_file_lost_total": ("writes", "What could not be written to disk."),
    "tidegate_cache_invalidations_total": ("invalidations", "What was invalidated, by source."),
    "tidegate_cache_invalidations_malformed_total": (
        "entries",
        "Entries of the stream of invalidations that mean nothing.",
    ),
    "tidegate_cache_invalidated_total": ("answers", "Invalidated answers dropped from memory."),
    "tidegate_cache_flights": ("requests", "Questions that are asked once for several."),
    "tidegate_batches_created_total": ("batches", "Batches begun at a target's provider."),
    "tidegate_batch_lines_total": (
        "lines",
        "Lines of batches' results that were read, by outcome.",
    ),
    "tidegate_feedback_taken_total": ("requests", "Requests with feedback that were taken."),
    "tidegate_feedback_spool_bytes": ("bytes", "Feedback on disk, on its way to the recorder."),
    "tidegate_classes_served": ("classes", "Priority classes not refused for want of resources."),
    "tidegate_shed_for_pressure_total": ("requests", "Requests refused for want of resources."),
    "tidegate_refused_total": ("requests", "Requests refused before a key was known, by code."),
    "tidegate_limits_store_up": ("0 or 1", "Whether shared counters can be asked."),
    "tidegate_limits_store_waiting": ("entries", "What shared counters are still to be told."),
    "tidegate_limits_slices": ("slices", "Parts of shared limits in this gateway's hand."),
    "tidegate_limits_gateways": ("gateways", "Gateways that share the counters."),
    "tidegate_limits_passed_uncounted_total": ("counts", "Passed by soft limits, uncounted."),
    "tidegate_limits_store_breaks_total": ("breaks", "Connections to shared counters lost."),
    "tidegate_limits_store_timeouts_total": ("calls", "Calls of shared counters that were late."),
    "tidegate_limits_store_lost_total": ("entries", "What shared counters were never told."),
    "process_cpu_seconds_total": ("seconds", "CPU time of the gateway's process."),
    "process_resident_memory_bytes": ("bytes", "Resident memory of the gateway's process."),
}


class _Report(Struct, frozen=True):
    status: Status
    at_s: float


class Vitals:
    """The newest report of each gateway. Not safe between threads; `Metrics` guards it."""

    def __init__(self, monotonic_s: Callable[[], float] = clock.monotonic_s) -> None:
        self._monotonic_s = monotonic_s
        self._reports: dict[str, _Report] = {}

    def take(self, gateway: str, status: Status) -> None:
        self._reports[gateway] = _Report(status, self._monotonic_s())

    def collected(self) -> list[Metric]:
        """One metric for each name that a living gateway reports."""
        now_s = self._monotonic_s()
        for gateway, report in list(self._reports.items()):
            if now_s - report.at_s > STALE_S:
                del self._reports[gateway]
        series: dict[tuple[str, Kind, Labels], list[tuple[Labels, Cell]]] = {}
        for gateway, report in sorted(self._reports.items()):
            for kind, values in _by_kind(report.status):
                for key, value in sorted(values.items())[:MAX_SERIES_A_GATEWAY]:
                    _place(series, kind, gateway, (key, value))
        return _metrics(series)


def _by_kind(status: Status) -> tuple[tuple[Kind, dict[str, float]], ...]:
    return ("gauge", status.gauges), ("counter", status.counters)


def _place(
    series: dict[tuple[str, Kind, Labels], list[tuple[Labels, Cell]]],
    kind: Kind,
    gateway: str,
    reading: tuple[str, float],
) -> None:
    """Files one reading `name|label=value|...` under its metric, unless it is not one."""
    key, value = reading
    name, *pairs = key.split("|")
    split = [pair.partition("=") for pair in pairs]
    names = ("gateway", *(label for label, _, _ in split))
    if not all(_NAME.fullmatch(part) for part in (name, *names)) or len(set(names)) < len(names):
        return
    cell = Cell(())
    cell.total = value
    labels = (gateway, *(text for _, _, text in split))
    series.setdefault((name, kind, names), []).append((labels, cell))


def _metrics(series: dict[tuple[str, Kind, Labels], list[tuple[Labels, Cell]]]) -> list[Metric]:
    """One metric a name: two gateways of different versions may label it differently."""
    metrics: dict[str, Metric] = {}
    for (name, kind, labels), cells in series.items():
        unit, text = KNOWN.get(name, ("", "Reported by a gateway."))
        metric = exposed(Spec(name, kind, unit, text, labels), cells)
        first = metrics.setdefault(name, metric)
        if first is not metric and first.type == metric.type:
            first.samples += metric.samples
    return list(metrics.values())
