"""The jobs of online quality, and what they share. Loaded when a route asks for them first."""

from collections.abc import Sequence

from tidegate.control.online import Given
from tidegate.evals.follow_ups import FollowUps
from tidegate.evals.hit_matter import Hits
from tidegate.evals.judge_drift import JudgeDrift
from tidegate.evals.live_grading import LiveGrading
from tidegate.evals.live_sampling import Purse
from tidegate.evals.online import Job
from tidegate.evals.own_gateway import OwnGateway


class OnlineJobs:
    """`evals.online.Jobs`."""

    def __init__(self, given: Given) -> None:
        self.gateway = OwnGateway(given)
        purses: dict[str, Purse] = {}
        self.live = LiveGrading(given, self.gateway, purses=purses)
        self.hits = LiveGrading(given, self.gateway, matter=Hits(), purses=purses)
        watched = JudgeDrift(given, self.gateway)
        self.jobs: Sequence[Job] = (self.live, self.hits, FollowUps(given), watched)

    async def __aenter__(self) -> "OnlineJobs":
        await self.gateway.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.live.close()
        await self.hits.close()
        await self.gateway.__aexit__()


plug = OnlineJobs
