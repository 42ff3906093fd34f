"""Every metric of what no caller asked for, probes and copies of requests, and of the recorder
itself."""

from tidegate.record.measures import DURATION_S, FIRST_TOKEN_S
from tidegate.record.series import Labels, Spec

_PROBED: Labels = ("target", "provider")

PROBES = Spec(
    "tidegate_probes_total",
    "counter",
    "probes",
    "Synthetic requests of the gateways' own, by how they failed (empty: a good answer).",
    (*_PROBED, "failure"),
    ("failure",),
)
PROBE_SECONDS = Spec(
    "tidegate_probe_seconds",
    "histogram",
    "seconds",
    "Time of a probe from its start to the end of its answer, good or not.",
    _PROBED,
    (),
    DURATION_S,
)
PROBE_FIRST_TOKEN = Spec(
    "tidegate_probe_first_token_seconds",
    "histogram",
    "seconds",
    "Time to the first content token of probes.",
    _PROBED,
    (),
    FIRST_TOKEN_S,
)
PROBE_COST = Spec(
    "tidegate_probe_cost_usd_total",
    "counter",
    "US dollars",
    "Known cost of probes, which is in no other figure.",
    _PROBED,
)
SHADOWS = Spec(
    "tidegate_shadows_total",
    "counter",
    "requests",
    "Copies of requests sent to a release, by how they failed (empty: a good answer).",
    ("rollout", "failure"),
    ("failure",),
)
SHADOW_COST = Spec(
    "tidegate_shadow_cost_usd_total",
    "counter",
    "US dollars",
    "Known cost of copies of requests, which is in no other figure.",
    ("rollout",),
)
RECORDED = Spec(
    "tidegate_receipts_recorded_total", "counter", "receipts", "Receipts put into the ledger.", ()
)
REPEATED = Spec(
    "tidegate_receipts_repeated_total",
    "counter",
    "receipts",
    "Receipts read again that the ledger held already.",
    (),
)
WRITE_ERRORS = Spec(
    "tidegate_ledger_write_errors_total",
    "counter",
    "transactions",
    "Ledger transactions that failed and were tried again.",
    (),
)
SIGNAL_ERRORS = Spec(
    "tidegate_signal_errors_total",
    "counter",
    "tries",
    "Times that receipts could not be made signals and were to be read again.",
    (),
)
READ_ERRORS = Spec(
    "tidegate_journal_read_errors_total",
    "counter",
    "errors",
    "Journal folders or files that could not be read or deleted.",
    (),
)
LAG_SECONDS = Spec(
    "tidegate_journal_lag_seconds",
    "gauge",
    "seconds",
    "Time since everything that the gateway had written was in the ledger.",
    ("gateway",),
)
LAG_BYTES = Spec(
    "tidegate_journal_lag_bytes",
    "gauge",
    "bytes",
    "Journal bytes that are not in the ledger yet.",
    ("gateway",),
)
DAMAGED = Spec(
    "tidegate_journal_damaged_total",
    "counter",
    "places",
    "Places in journals that could not be read: no_magic, torn, checksum, undecodable.",
    ("gateway", "kind"),
    ("kind",),
)
OVERFLOWED = Spec(
    "tidegate_metric_labels_overflowed_total",
    "counter",
    "values",
    "Values counted under the label value `other` because a metric had too many series.",
    ("metric",),
    ("metric",),
)

ALL: tuple[Spec, ...] = (
    PROBES,
    PROBE_SECONDS,
    PROBE_FIRST_TOKEN,
    PROBE_COST,
    SHADOWS,
    SHADOW_COST,
    RECORDED,
    REPEATED,
    WRITE_ERRORS,
    SIGNAL_ERRORS,
    READ_ERRORS,
    LAG_SECONDS,
    LAG_BYTES,
    DAMAGED,
    OVERFLOWED,
)
