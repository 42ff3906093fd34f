"""How long one engine step takes, from what the machine and the model are.

A step reads the weights once and the KV entries of every sequence in it (bandwidth), and
multiplies every token of it with the weights (arithmetic); the slower of the two decides. Few
tokens a step, as in decoding, are bound by bandwidth; a chunk of prefill is bound by arithmetic.

The five efficiencies are the global ones of a fit over dense models on several GPUs; they are
not fitted a row, and the result is good to about a fifth until calibrated.
"""

from msgspec import Struct

MEMORY_EFFICIENCY = 0.8
MATMUL_EFFICIENCY = 0.4
ATTENTION_EFFICIENCY = 0.2
LAYER_LAUNCH_S = 5e-6
COLLECTIVE_LATENCY_S = 12e-6
STEP_OVERHEAD_S = 2e-3


class Gpu(Struct, frozen=True):
    """One accelerator. `total_bytes` is what the driver reports, not the marketing size.

    `link_bytes_per_s` is one direction of one GPU's links to its peers. The share of the sheet's
    arithmetic that prefill reaches differs most between GPUs: measure it where you can.
    """

    name: str
    bandwidth_bytes_per_s: float
    bf16_flops: float
    fp8_flops: float
    total_bytes: float
    link_bytes_per_s: float
    matmul_efficiency: float = MATMUL_EFFICIENCY


class Model(Struct, frozen=True):
    """A dense transformer with grouped-query attention, as its config states it."""

    name: str
    parameters: float
    layers: int
    hidden: int
    query_heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    weight_bytes: int = 2
    kv_bytes: int = 2


class StepShape(Struct):
    """What one step computes. `attended` sums, over prefill tokens, the tokens each looks at."""

    tokens: int = 0
    resident_tokens: int = 0
    attended: int = 0


class StepCost(Struct, frozen=True):
    """Seconds of a step as linear terms; `step_s` puts them together."""

    overhead_s: float = 0.0
    weights_s: float = 0.0
    kv_s_per_token: float = 0.0
    compute_s_per_token: float = 0.0
    attention_s_per_pair: float = 0.0
    link_s_per_token: float = 0.0

    def step_s(self, shape: StepShape) -> float:
        """Seconds that a step of this shape takes."""
        memory_s = self.weights_s + self.kv_s_per_token * shape.resident_tokens
        compute_s = (
            self.compute_s_per_token * shape.tokens + self.attention_s_per_pair * shape.attended
        )
        return (
            self.overhead_s
            + (memory_s if memory_s > compute_s else compute_s)
            + self.link_s_per_token * shape.tokens
        )


def kv_bytes_per_token(model: Model, gpus: int) -> float:
    """Bytes of KV a token takes on each of `gpus` tensor-parallel GPUs.

    Heads are copied, not divided further, once there are more GPUs than KV heads.
    """
    heads = max(1, -(-model.kv_heads // gpus))
    return 2.0 * model.layers * heads * model.head_dim * model.kv_bytes


def step_cost(gpu: Gpu, gpus: int, model: Model) -> StepCost:
    """The cost of a step of `model` on `gpus` tensor-parallel GPUs."""
    bandwidth = gpu.bandwidth_bytes_per_s * MEMORY_EFFICIENCY
    flops = (gpu.fp8_flops if model.weight_bytes == 1 else gpu.bf16_flops) * gpus
    attention_flops = gpu.bf16_flops * gpus * ATTENTION_EFFICIENCY
    pair_flops = 4.0 * model.layers * model.query_heads * model.head_dim
    reduced_bytes = 2.0 * model.hidden * 2.0 * (gpus - 1) / gpus
    collective_s = COLLECTIVE_LATENCY_S if gpus > 1 else 0.0
    return StepCost(
        overhead_s=STEP_OVERHEAD_S + model.layers * (LAYER_LAUNCH_S + 2 * collective_s),
        weights_s=model.parameters * model.weight_bytes / gpus / bandwidth,
        kv_s_per_token=kv_bytes_per_token(model, gpus) / bandwidth,
        compute_s_per_token=2.0 * model.parameters / (flops * gpu.matmul_efficiency),
        attention_s_per_pair=pair_flops / attention_flops,
        link_s_per_token=2.0 * model.layers * reduced_bytes / gpu.link_bytes_per_s,
    )


def kv_tokens(gpu: Gpu, gpus: int, model: Model, max_num_seqs: int, utilization: float) -> int:
    """Tokens of KV that fit beside weights and activations; at most 0 when the model does not.

    Peak activation is the sampler's: about ten fp32 copies of the logits of `max_num_seqs`
    sequences. The runtime beside it takes 0.13 GiB, with collectives 0.55 GiB.
    """
    weights = model.parameters * model.weight_bytes / gpus
    activation = 9.7 * max_num_seqs * model.vocabulary * 4
    runtime = (0.13 if gpus == 1 else 0.55) * 2**30
    pool = utilization * gpu.total_bytes - weights - activation - runtime
    return int(pool / kv_bytes_per_token(model, gpus))
