"""The one model of continuous batching: a pure discrete-event machine, time is an argument.

A step serves every running sequence in order of arrival, within a budget of tokens: decodes take
one, prefills the rest in chunks. Then waiting requests join, first come first served, while there
is budget and the whole of their known tokens fits in KV blocks. When blocks run out the newest
sequence is put back to wait and recomputed later. All that a step produced appears at its end.

One event a step keeps a run of thousands of requests in plain Python within seconds.
"""

import heapq
from bisect import insort

from tidegate.capacity.blocks import BlockPool
from tidegate.capacity.profiles import Profile
from tidegate.capacity.readings import FinishReason, Histograms, Readings, Timing
from tidegate.capacity.request import Emitted, NeverFits, Request, Running
from tidegate.capacity.roofline import StepShape


class Engine:
    """One replica. Calls carry times that never fall; a run is a function of its calls alone."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.pool = BlockPool(profile.kv_blocks)
        self.histograms = Histograms()
        self._sequences: dict[str, Running] = {}
        self._running: list[Running] = []  # by order: the last is the first to give way
        self._waiting: list[tuple[tuple[int, int], Running]] = []
        self._waiting_count = 0
        self._arrivals = 0
        self._now_s = 0.0
        self._step_ends_s: float | None = None
        self._wakes_s: float | None = None  # when an idle engine begins its next step
        self._readings = Readings(0, 0, 0.0, 0, 0, 0, 0, 0, 0)

    # the interface

    def check(self, request: Request) -> None:
        """NeverFits when the request exceeds the context or the KV memory of this engine."""
        profile = self.profile
        if request.prompt_tokens < 1 or request.output_tokens < 0:
            raise NeverFits("a request has at least one prompt token and no negative output")
        total = request.prompt_tokens + request.output_tokens
        if total > profile.max_model_len:
            raise NeverFits(f"{total} tokens exceed the context of {profile.max_model_len}")
        if -(-total // profile.block_tokens) > profile.kv_blocks:
            raise NeverFits(f"{total} tokens exceed the KV memory of {profile.kv_blocks} blocks")

    def submit(self, request: Request, now_s: float) -> None:
        """Queues a request. NeverFits; ValueError when its id is in the engine already."""
        self.check(request)
        if request.id in self._sequences:
            raise ValueError(f"request {request.id} is in the engine already")
        self._at(now_s)
        self._arrivals += 1
        sequence = Running(request, (request.priority, self._arrivals), now_s)
        self._sequences[request.id] = sequence
        self._wait(sequence)
        if self._step_ends_s is None and self._wakes_s is None:
            self._wakes_s = now_s

    def abort(self, request_id: str, now_s: float) -> Timing | None:
        """Drops a request and frees all it holds; its timing, or None when it is not here."""
        sequence = self._sequences.get(request_id)
        if sequence is None:
            return None
        self._at(now_s)
        if sequence in self._running:
            self._running.remove(sequence)
        else:
            self._waiting_count -= 1
            self._forget_aborted()
        self._end(sequence, now_s, "abort")
        return sequence.timing

    def next_event_at(self) -> float | None:
        """When `advance` will next have something to do; None when the engine is empty."""
        return self._wakes_s if self._step_ends_s is None else self._step_ends_s

    def advance(self, now_s: float) -> list[Emitted]:
        """Everything that happened up to and including `now_s`, in order."""
        out: list[Emitted] = []
        while True:
            at_s = self.next_event_at()
            if at_s is None or at_s > now_s:
                break
            self._now_s = at_s
            if self._step_ends_s is not None:
                self._finish_step(at_s, out)
            self._begin_step(at_s)
        self._at(now_s)
        return out

    def readings(self) -> Readings:
        """Gauges of now and counters; a new object a call, except for `histograms` beside it."""
        now = self._readings
        now.running = len(self._running)
        now.waiting = self._waiting_count
        now.kv_usage = self.pool.referenced / self.pool.capacity
        fields = {name: getattr(now, name) for name in Readings.__struct_fields__}
        return Readings(**{**fields, "finished": dict(now.finished)})

    # a step

    def _begin_step(self, now_s: float) -> None:
        self._wakes_s = self._step_ends_s = None
        budget = self.profile.max_num_batched_tokens
        shape = StepShape()
        preemptions_before = self._readings.preemptions
        at = 0
        while at < len(self._running) and budget > 0:
            sequence = self._running[at]
            if not self._make_room(sequence, budget):
                break
            if at < len(self._running) and self._running[at] is sequence:
                budget -= self._plan(sequence, budget, shape)
                at += 1
        for sequence in self._running[at:]:
            sequence.planned = 0
        if self._readings.preemptions == preemptions_before:
            self._admit(budget, shape, now_s)
        if shape.tokens:
            self._readings.steps += 1
            self.histograms.step_tokens.observe(shape.tokens)
            self._step_ends_s = now_s + self.profile.cost.step_s(shape)
        elif self._waiting_count:
            self._wakes_s = now_s  # everything was put back to wait; the queue goes next

    def _needed(self, sequence: Running, budget: int) -> int:
        """Tokens that the sequence computes in this step."""
        missing = sequence.known - sequence.computed
        if missing == 1 and sequence.generated and self.profile.decode_tokens_per_step > 1:
            left = sequence.request.output_tokens - sequence.generated
            missing = min(self.profile.decode_tokens_per_step, left)
        return min(missing, budget)

    def _make_room(self, sequence: Running, budget: int) -> bool:
        """Blocks for what the sequence computes now; the newest give way. False: it did itself."""
        until = sequence.computed + self._needed(sequence, budget)
        while True:
            missing = -(-until // self.profile.block_tokens) - len(sequence.blocks)
            if missing <= 0:
                return True
            blocks = self.pool.allocate(missing)
            if blocks is not None:
                sequence.blocks += blocks
                return True
            victim = self._running[-1]
            self._preempt(victim)
            if victim is sequence:
                return False

    def _preempt(self, sequence: Running) -> None:
        self._running.remove(sequence)
        self.pool.release(sequence.blocks)
        sequence.blocks = []
        sequence.computed = sequence.kept = sequence.planned = 0
        sequence.timing.preemptions += 1
        self._readings.preemptions += 1
        self._wait(sequence)

    def _plan(self, sequence: Running, budget: int, shape: StepShape) -> int:
        count = self._needed(sequence, budget)
        sequence.planned = count
        shape.tokens += count
        shape.resident_tokens += sequence.computed + count
        if sequence.computed + 1 < sequence.known:  # a decode's attention is its reading of KV
            shape.attended += count * sequence.computed + count * (count + 1) // 2
        return count

    def _admit(self, budget: int, shape: StepShape, now_s: float) -> None:
        profile = self.profile
        while budget > 0 and len(self._running) < profile.max_num_seqs:
            sequence = self._first_waiting()
            if sequence is None:
                return
            known = sequence.known
            # At least one token is always computed: its logits give the next token.
            cacheable = (known - 1) // profile.block_tokens
            hits = self.pool.longest_prefix(sequence.request.keys[:cacheable])
            missing = -(-known // profile.block_tokens) - len(hits)
            if missing > self.pool.available - self.pool.idle_among(hits):
                return
            self.pool.reference(hits)
            fresh = self.pool.allocate(missing)
            assert fresh is not None  # noqa: S101 - counted just above
            heapq.heappop(self._waiting)
            self._waiting_count -= 1
            sequence.blocks = hits + fresh
            sequence.kept = len(hits)
            sequence.computed = len(hits) * profile.block_tokens
            if sequence.timing.scheduled_s is None:
                sequence.timing.scheduled_s = now_s
                sequence.timing.cached_tokens = sequence.computed
                self._readings.prefix_query_tokens += known
                self._readings.prefix_hit_tokens += sequence.computed
                self._readings.prompt_tokens += known
            insort(self._running, sequence, key=lambda s: s.order)
            budget -= self._plan(sequence, budget, shape)

    def _finish_step(self, now_s: float, out: list[Emitted]) -> None:
        self._step_ends_s = None
        ended = False
        for sequence in self._running:
            if not sequence.planned:
                continue
            request = sequence.request
            known = sequence.known
            sequence.computed += sequence.planned
            tokens = max(0, sequence.computed - known + 1)
            tokens = min(tokens, request.output_tokens - sequence.generated)
            done = sequence.computed >= known and sequence.generated + tokens >= (
                request.output_tokens
            )
            sequence.planned = 0
            self._keep_full(sequence)
            if tokens:
                self._observe_tokens(sequence, tokens, now_s)
            if done:
                ended = True
                self._end(sequence, now_s, request.reason)
                out.append(
                    Emitted(request.id, now_s, tokens, True, request.reason, sequence.timing)
                )
            elif tokens:
                out.append(Emitted(request.id, now_s, tokens))
        if ended:
            self._running = [s for s in self._running if s.request.id in self._sequences]

    def _keep_full(self, sequence: Running) -> None:
        keys = sequence.request.keys
        full = min(sequence.computed // self.profile.block_tokens, len(keys))
        for index in range(sequence.kept, full):
            self.pool.keep(sequence.blocks[index], keys[index])
        sequence.kept = max(sequence.kept, full)

    def _observe_tokens(self, sequence: Running, tokens: int, now_s: float) -> None:
        timing = sequence.timing
        sequence.generated += tokens
        self._readings.generation_tokens += tokens
        if timing.last_token_s is None:
            timing.first_token_s = now_s
            self.histograms.ttft_s.observe(now_s - timing.arrival_s)
        else:
            self.histograms.inter_token_s.observe((now_s - timing.last_token_s) / tokens, tokens)
        timing.last_token_s = now_s

    # a request's place

    def _at(self, now_s: float) -> None:
        if now_s < self._now_s:
            raise ValueError(f"time fell from {self._now_s} to {now_s}")
        self._now_s = now_s

    def _wait(self, sequence: Running) -> None:
        heapq.heappush(self._waiting, (sequence.order, sequence))
        self._waiting_count += 1

    def _forget_aborted(self) -> None:
        """Keeps the queue's memory in proportion to those that still wait."""
        if len(self._waiting) > 2 * self._waiting_count + 64:
            self._waiting = [
                entry for entry in self._waiting if entry[1].request.id in self._sequences
            ]
            heapq.heapify(self._waiting)

    def _first_waiting(self) -> Running | None:
        """The head of the queue. Aborted requests are dropped when they come to the front."""
        while self._waiting:
            sequence = self._waiting[0][1]
            if self._sequences.get(sequence.request.id) is sequence:
                return sequence
            heapq.heappop(self._waiting)
        return None

    def _end(self, sequence: Running, now_s: float, reason: FinishReason) -> None:
        del self._sequences[sequence.request.id]
        self.pool.release(sequence.blocks)
        sequence.blocks = []
        timing = sequence.timing
        timing.ended_s = now_s
        counts = self._readings.finished
        counts[reason] = counts.get(reason, 0) + 1
        if reason == "abort" or timing.scheduled_s is None:
            return
        seen = self.histograms
        seen.e2e_s.observe(now_s - timing.arrival_s)
        seen.queue_s.observe(timing.scheduled_s - timing.arrival_s)
        seen.inference_s.observe(now_s - timing.scheduled_s)
        first_s = now_s if timing.first_token_s is None else timing.first_token_s
        seen.prefill_s.observe(first_s - timing.scheduled_s)
        seen.decode_s.observe(now_s - first_s)
        seen.prompt_tokens.observe(sequence.request.prompt_tokens)
        seen.generation_tokens.observe(sequence.generated)
        if sequence.generated > 1:
            seen.time_per_output_token_s.observe((now_s - first_s) / (sequence.generated - 1))
