"""Receipts and the gateways' own reports, as Prometheus metrics."""

import threading
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from tidegate.core.feed import Status
from tidegate.core.receipt import Receipt
from tidegate.record import catalogue, litellm_names, own_catalogue
from tidegate.record.cache_metrics import CacheMetrics
from tidegate.record.journals import Lag
from tidegate.record.prefix_metrics import PrefixMetrics
from tidegate.record.request_metrics import RequestMetrics
from tidegate.record.series import MAX_SERIES, Cell, Family, Spec, exposed
from tidegate.record.tail import Damage
from tidegate.record.vitals import Vitals

# A histogram writes a line for each bucket, so it may have fewer series.
_HISTOGRAM_SHARE = 4
_NANOUSD_A_USD = 1e9


class Metrics:
    """Everything `/metrics` shows of requests, recorder and gateways. Safe between threads.

    `litellm` adds LiteLLM's names for the same figures. `max_series` bounds each metric; a
    histogram may have a quarter of it.
    """

    def __init__(self, *, litellm: bool = False, max_series: int = MAX_SERIES) -> None:
        self._lock = threading.Lock()
        overflowed = Family(own_catalogue.OVERFLOWED, Cell(()))
        self.families: dict[str, Family] = {own_catalogue.OVERFLOWED.name: overflowed}
        for spec in catalogue.ALL:
            if spec.name not in self.families:
                folded = overflowed.cell(spec.name)
                bound = max_series // _HISTOGRAM_SHARE if spec.buckets else max_series
                self.families[spec.name] = Family(spec, folded, max(bound, 1))
        self._requests = RequestMetrics(self.family)
        self._prefixes = PrefixMetrics(self.family)
        self._caches = CacheMetrics(self.family)
        self._attempts = self.family(catalogue.ATTEMPTS)
        self._limit_refusals = self.family(catalogue.LIMIT_REFUSALS)
        self._limit_alerts = self.family(catalogue.LIMIT_ALERTS)
        self._guardrails = self.family(catalogue.GUARDRAILS)
        self._recorded = self.family(own_catalogue.RECORDED).cell()
        self._repeated = self.family(own_catalogue.REPEATED).cell()
        self._write_errors = self.family(own_catalogue.WRITE_ERRORS).cell()
        self._signal_errors = self.family(own_catalogue.SIGNAL_ERRORS).cell()
        self._read_errors = self.family(own_catalogue.READ_ERRORS).cell()
        self._vitals = Vitals()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Everything(self, litellm=litellm))

    def family(self, spec: Spec) -> Family:
        return self.families[spec.name]

    def observe(self, receipts: Iterable[Receipt], repeated: int = 0) -> None:
        """Count receipts that the ledger took now; `repeated` is how many it had before."""
        with self._lock:
            self._repeated.add(repeated)
            for receipt in receipts:
                self._recorded.total += 1
                if receipt.is_hold:
                    continue  # no request
                if receipt.is_probe:
                    self._observe_probe(receipt)
                elif receipt.is_own:
                    self._observe_shadow(receipt)
                else:
                    self._observe(receipt)

    def observe_status(self, gateway: str, status: Status) -> None:
        """What a gateway reports of itself; without a new report it vanishes after 5 s."""
        with self._lock:
            self._vitals.take(gateway, status)

    def ledger_failed(self) -> None:
        """A ledger transaction failed."""
        with self._lock:
            self._write_errors.add(1)

    def signals_failed(self) -> None:
        """Receipts could not be made signals; they will be read again."""
        with self._lock:
            self._signal_errors.add(1)

    def journals_are(
        self, lags: list[Lag], damage: dict[tuple[str, Damage], int], read_errors: int
    ) -> None:
        """How the journals stand now."""
        with self._lock:
            seconds = self.family(own_catalogue.LAG_SECONDS)
            waiting = self.family(own_catalogue.LAG_BYTES)
            seconds.replace({(lag.gateway,): lag.seconds for lag in lags})
            waiting.replace({(lag.gateway,): float(lag.bytes) for lag in lags})
            damaged = self.family(own_catalogue.DAMAGED)
            damaged.replace({key: float(count) for key, count in damage.items()})
            self._read_errors.total = float(read_errors)

    def render(self) -> bytes:
        """The text of `/metrics`, in Prometheus' format."""
        return generate_latest(self._registry)

    def collected(self, *, litellm: bool) -> Iterator[Metric]:
        """Every metric with its series, as of one moment.

        Only the copying keeps others out: writing the text of many series takes a while, and
        each metric is made when it is written, so that they never lie in memory all at once.
        """
        with self._lock:
            series = {name: family.copy() for name, family in self.families.items()}
            vitals = self._vitals.collected()
        yield from (exposed(f.spec, series[name].items()) for name, f in self.families.items())
        if litellm:
            yield from litellm_names.aliases(series)
        yield from vitals

    def _observe(self, receipt: Receipt) -> None:
        self._requests.observe(receipt)
        self._prefixes.observe(receipt)
        if receipt.cache is not None:
            self._caches.observe(receipt)
        for attempt in receipt.attempts:
            told = attempt.target, attempt.failure or "", attempt.validity or ""
            self._attempts.cell(*told).total += 1
        if receipt.rung is not None:
            led = receipt.rung, receipt.rung_kind or "", receipt.rung_reason or ""
            self.family(catalogue.RUNGS).cell(receipt.route or "", *led).add(1)
        if receipt.refused_by is not None:
            self._limit_refusals.cell(receipt.refused_by).add(1)
        for name in receipt.over_limits:
            self._limit_alerts.cell(name).add(1)
        for hit in receipt.guardrails:
            what = receipt.route or "", hit.guardrail, hit.side, hit.type, hit.action
            self._guardrails.cell(*what).add(hit.count)

    def _observe_probe(self, receipt: Receipt) -> None:
        """It counts as no request of anybody: not as traffic, nor as an error."""
        whose = receipt.target or "", receipt.provider or ""
        self.family(own_catalogue.PROBES).cell(*whose, _failure(receipt)).add(1)
        if receipt.total_s is not None:
            self.family(own_catalogue.PROBE_SECONDS).cell(*whose).observe(receipt.total_s)
        if receipt.ttft_s is not None:
            self.family(own_catalogue.PROBE_FIRST_TOKEN).cell(*whose).observe(receipt.ttft_s)
        if receipt.cost_nanousd is not None:
            cost_usd = receipt.cost_nanousd / _NANOUSD_A_USD
            self.family(own_catalogue.PROBE_COST).cell(*whose).add(cost_usd)

    def _observe_shadow(self, receipt: Receipt) -> None:
        """Nor does a copy of somebody's request."""
        rollout = receipt.rollout or ""
        self.family(own_catalogue.SHADOWS).cell(rollout, _failure(receipt)).add(1)
        if receipt.cost_nanousd is not None:
            self.family(own_catalogue.SHADOW_COST).cell(rollout).add(
                receipt.cost_nanousd / _NANOUSD_A_USD
            )


def _failure(receipt: Receipt) -> str:
    """How a request of our own failed; empty where it did not."""
    if receipt.error_code is None:
        return ""
    told = receipt.attempts[-1].failure if receipt.attempts else None
    return told or receipt.error_code


class _Everything(Collector):
    """What the registry asks when a text is wanted."""

    def __init__(self, metrics: Metrics, *, litellm: bool) -> None:
        self._metrics = metrics
        self._litellm = litellm

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        return self._metrics.collected(litellm=self._litellm)
