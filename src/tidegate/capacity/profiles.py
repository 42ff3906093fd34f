"""Engine profiles by name: what a step costs, how much is batched, how much KV there is.

The names of machines stand for the data sheet's bandwidth and dense arithmetic, the driver's
memory size, and the model's public config; everything else follows by `roofline`. vLLM's defaults
set the batch: 1,024 sequences on GPUs of 70 GiB and more, 256 below; chunks of 8,192 or 2,048
prompt tokens; blocks of 16 tokens; 0.92 of memory (0.9 in the RTX 4090 run that we replay, which
logged 2,588 blocks and so states them).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.capacity import roofline
from tidegate.capacity.roofline import Gpu, Model, StepCost


class Profile(Struct, frozen=True):
    """All that the batching model needs to know of an engine.

    `decode_tokens_per_step` is 1 in an engine that decodes token by token.
    """

    name: str
    cost: StepCost
    max_num_seqs: int
    max_num_batched_tokens: int
    kv_blocks: int
    block_tokens: int = 16
    max_model_len: int = 8192
    decode_tokens_per_step: int = 1

    def __post_init__(self) -> None:
        for field in (
            *("max_num_seqs", "max_num_batched_tokens", "kv_blocks", "block_tokens"),
            *("max_model_len", "decode_tokens_per_step"),
        ):
            if getattr(self, field) < 1:
                raise ValueError(f"profile {self.name}: {field} must be at least 1")


# Data sheets; total_bytes as the driver reports it (79.18 and 23.517 GiB).
H100: Final = Gpu("H100 SXM", 3.35e12, 989e12, 1979e12, 79.18 * 2**30, 450e9)
# A served run prefilled 9,045 tokens/s of an 8B model: 145 of the sheet's 165 TFLOPS.
RTX4090: Final = Gpu("RTX 4090", 1.01e12, 165e12, 330e12, 25_250_627_584, 32e9, 0.88)

# The models' config.json on their public pages.
LLAMA_8B: Final = Model("Llama-3.1-8B", 8.03e9, 32, 4096, 32, 8, 128, 128_256)
LLAMA_70B_FP8: Final = Model(
    "Llama-3.1-70B FP8", 70.6e9, 80, 8192, 64, 8, 128, 128_256, weight_bytes=1
)


def on_gpu(name: str, gpu: Gpu, gpus: int, model: Model) -> Profile:
    """`model` on `gpus` GPUs under vLLM's defaults. ValueError when no KV memory is left."""
    large = gpu.total_bytes >= 70 * 2**30
    max_num_seqs = 1024 if large else 256
    tokens = roofline.kv_tokens(gpu, gpus, model, max_num_seqs, 0.92)
    if tokens < 16:
        raise ValueError(f"{model.name} leaves no KV memory on {gpus} x {gpu.name}")
    return Profile(
        name=name,
        cost=roofline.step_cost(gpu, gpus, model),
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=8192 if large else 2048,
        kv_blocks=tokens // 16,
        max_model_len=32_768,
    )


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        # Round numbers for tests and demos: a step of a few milliseconds, room for 32 sequences.
        Profile(
            name="tiny",
            cost=StepCost(overhead_s=0.002, kv_s_per_token=1e-7, compute_s_per_token=1e-5),
            max_num_seqs=32,
            max_num_batched_tokens=512,
            kv_blocks=2048,
        ),
        # One token of every stream each 20 ms, whatever the load.
        Profile(
            name="steady",
            cost=StepCost(overhead_s=0.02),
            max_num_seqs=100_000,
            max_num_batched_tokens=1_000_000_000,
            kv_blocks=1_000_000,
        ),
        # No pacing at all: the load target.
        Profile(
            name="instant",
            cost=StepCost(),
            max_num_seqs=100_000,
            max_num_batched_tokens=1_000_000_000,
            kv_blocks=1_000_000,
            decode_tokens_per_step=1_000_000,
        ),
        Profile(
            name="rtx4090-8b",
            cost=roofline.step_cost(RTX4090, 1, LLAMA_8B),
            max_num_seqs=256,
            max_num_batched_tokens=2048,
            kv_blocks=2588,
            max_model_len=32_768,
        ),
        on_gpu("h100-8b", H100, 1, LLAMA_8B),
        on_gpu("h100-70b-tp2", H100, 2, LLAMA_70B_FP8),
        on_gpu("h100-70b-tp4", H100, 4, LLAMA_70B_FP8),
    )
}


def profile(name: str) -> Profile:
    """The profile `name`. ValueError that lists the names when there is none."""
    found = PROFILES.get(name)
    if found is None:
        raise ValueError(f"there is no profile {name!r}; there are: {', '.join(PROFILES)}")
    return found
