"""How a simulated engine is set up."""

from msgspec import Struct

from tidegate.capacity.profiles import Profile, profile
from tidegate.sim.embed import DEFAULT_DIMENSIONS
from tidegate.sim.script import Cue


class Options(Struct, frozen=True):
    """How the engine is set up. `speed` is engine seconds a second; ports below 1 mean any.

    `output_tokens` fixes the length of every answer; None draws it by seed.
    """

    host: str = "127.0.0.1"
    port: int = 0
    profile: Profile = profile("tiny")
    models: tuple[str, ...] = ("sim",)
    seed: int = 1
    speed: float = 1.0
    output_tokens: int | None = None
    dimensions: int = DEFAULT_DIMENSIONS
    faults: tuple[Cue, ...] = ()
    allow_fault_header: bool = False
    api_key: str | None = None
