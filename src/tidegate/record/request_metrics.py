"""Requests as series of `/metrics`: how they ended, what they cost and took.

One receipt touches a dozen series. Which ones is looked up once per combination of endpoint,
provider, route, model, target and team, and kept: after that a receipt costs additions.
"""

from collections.abc import Callable

from tidegate.core.receipt import METERED, Receipt
from tidegate.record import cache_catalogue, catalogue, measures
from tidegate.record.series import Cell, Family, Labels, Spec

_KEPT_COMBINATIONS = 4096
_NANOUSD_A_USD = 1e9
_OPERATIONS = {"chat": "chat", "completions": "text_completion", "embeddings": "embeddings"}
_CLASSES = (
    ("input", "input_tokens"),
    ("cache_read", "cache_read_tokens"),
    ("cache_write", "cache_write_tokens"),
    ("output", "output_tokens"),
    ("reasoning", "reasoning_tokens"),
)
_UNITS = (
    ("images", "images"),
    ("audio_seconds", "audio_s"),
    ("characters", "characters"),
    ("searches", "search_units"),
)


class RequestMetrics:
    """Adds receipts to its families."""

    def __init__(self, family: Callable[[Spec], Family]) -> None:
        self._family = family
        self._combinations: dict[Labels, _Combination] = {}

    def observe(self, receipt: Receipt) -> None:
        """A request of somebody's, and no copy or probe of our own."""
        named = (
            receipt.endpoint,
            receipt.provider or "",
            receipt.route or "",
            receipt.model_served or "",
            receipt.target or "",
            receipt.team or "",
        )
        series = self._combinations.get(named)
        if series is None:
            if len(self._combinations) >= _KEPT_COMBINATIONS:
                self._combinations.clear()
            series = self._combinations[named] = _Combination(self._family, named)
        series.count_end(receipt)
        series.judge(receipt)
        series.count_tokens(receipt)
        series.time(receipt)


class _Combination:
    """The series of one combination of the six common labels."""

    def __init__(self, family: Callable[[Spec], Family], ours: Labels) -> None:
        otel = (_OPERATIONS.get(ours[0], ours[0]), *ours[1:])
        self._family = family
        self._labels = {measures.OURS: ours, measures.OTEL: otel}
        self._more: dict[tuple[str, ...], Cell] = {}
        self._first_token = self._cell(catalogue.FIRST_TOKEN)
        self._per_token = self._cell(catalogue.PER_TOKEN)
        self._itl_mean = self._cell(catalogue.ITL_MEAN)
        self._itl_max = self._cell(catalogue.ITL_MAX)
        self._rate = self._cell(catalogue.OUTPUT_RATE)
        self._gateway = self._cell(catalogue.GATEWAY_TIME)
        self._queue = self._cell(catalogue.QUEUE_TIME)
        self._upstream = self._cell(catalogue.UPSTREAM_TIME)
        self._cost = self._cell(catalogue.COST)
        self._cost_unknown = self._cell(catalogue.COST_UNKNOWN)
        self._tokens_unknown = self._cell(catalogue.TOKENS_UNKNOWN)
        self._estimated = self._cell(catalogue.TOKENS_ESTIMATED)
        self._interrupted = self._cell(catalogue.INTERRUPTIONS)

    def count_end(self, receipt: Receipt) -> None:
        """How the request ended and what it cost."""
        status = "" if receipt.status is None else str(receipt.status)
        self._of(catalogue.REQUESTS, status).add(1)
        if receipt.error_code is not None:
            fault = receipt.error_fault or ""
            self._of(catalogue.ERRORS, fault, receipt.error_code).add(1)
        if receipt.finish_reason is not None:
            self._of(catalogue.FINISH_REASONS, receipt.finish_reason).add(1)
        if receipt.cancelled_by is not None:
            self._of(catalogue.CANCELLED, receipt.cancelled_by).add(1)
        if receipt.interrupted:
            self._interrupted.add(1)
        if receipt.cost_nanousd is not None:
            self._cost.add(receipt.cost_nanousd / _NANOUSD_A_USD)
        elif receipt.attempts:
            self._cost_unknown.add(1)

        if receipt.saved_nanousd is not None:
            saved_usd = receipt.saved_nanousd / _NANOUSD_A_USD
            self._of(cache_catalogue.CACHE_SAVED, receipt.cache_tier or "").add(saved_usd)

    def judge(self, receipt: Receipt) -> None:
        """What became of the answer."""
        if receipt.validity is not None:
            self._of(catalogue.ANSWERS, receipt.validity).add(1)
        if receipt.model_refusal in ("partial", "full"):
            why = receipt.model_refusal_reason or ""
            self._of(catalogue.MODEL_REFUSALS, receipt.model_refusal, why).add(1)
        if receipt.bytes_before_violation is not None:
            self._of(catalogue.BYTES_BEFORE_VIOLATION).observe(receipt.bytes_before_violation)

    def count_tokens(self, receipt: Receipt) -> None:
        """Tokens by class, and per request as OpenTelemetry counts them."""
        for name, field in _CLASSES:
            tokens = getattr(receipt, field)
            if tokens:
                self._of(catalogue.TOKENS_BY_CLASS, name).add(tokens)
        if receipt.tokens_estimated:
            self._estimated.add(1)
        if receipt.endpoint in METERED:
            self._count_units(receipt)
        total_input = receipt.total_input_tokens
        if total_input is not None:
            self._of(catalogue.TOKEN_USAGE, "input").observe(total_input)
        elif receipt.attempts and receipt.endpoint not in METERED:
            self._tokens_unknown.add(1)
        if receipt.output_tokens is not None:
            produced = receipt.output_tokens + (receipt.reasoning_tokens or 0)
            self._of(catalogue.TOKEN_USAGE, "output").observe(produced)

    def _count_units(self, receipt: Receipt) -> None:
        for name, field in _UNITS:
            count = getattr(receipt, field)
            if count and receipt.attempts:
                self._of(catalogue.UNITS, name).add(count)

    def time(self, receipt: Receipt) -> None:
        """Every duration that is known."""
        total_s, gateway_s = receipt.total_s, receipt.gateway_s
        if total_s is not None:
            self._of(catalogue.DURATION, receipt.error_code or "").observe(total_s)
        if gateway_s is not None:
            self._gateway.observe(gateway_s)
            if total_s is not None and receipt.attempts:
                self._upstream.observe(max(total_s - gateway_s - (receipt.queue_s or 0.0), 0.0))
        if receipt.queue_s is not None:
            self._queue.observe(receipt.queue_s)
        if receipt.ttft_s is None:
            return
        self._first_token.observe(receipt.ttft_s)
        if receipt.itl_mean_s is not None:
            self._itl_mean.observe(receipt.itl_mean_s)
        if receipt.itl_max_s is not None:
            self._itl_max.observe(receipt.itl_max_s)
        if receipt.output_tokens_per_s is not None:
            self._rate.observe(receipt.output_tokens_per_s)
        if receipt.error_code is None and receipt.generation_s is not None:
            produced = (receipt.output_tokens or 0) + (receipt.reasoning_tokens or 0)
            if produced > 1:
                self._per_token.observe(receipt.generation_s / (produced - 1))

    def _of(self, spec: Spec, *more: str) -> Cell:
        """The series with labels beyond the six."""
        key = (spec.name, *more)
        cell = self._more.get(key)
        if cell is None:
            cell = self._more[key] = self._cell(spec, *more)
        return cell

    def _cell(self, spec: Spec, *more: str) -> Cell:
        six = self._labels[spec.labels[:6]]
        return self._family(spec).cell(*six, *more)
