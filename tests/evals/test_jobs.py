"""The jobs of online quality together."""

from pathlib import Path

from tests.evals.online_room import Room
from tests.gateway.rig import run

from tidegate.core import plugs
from tidegate.evals.online import Jobs


def test_they_are_found_by_name_and_can_be_entered_again(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path) as room:
            jobs: Jobs = plugs.load("evals", "jobs")(room.given)
            for _ in range(2):
                async with jobs:
                    pass

    run(main())
