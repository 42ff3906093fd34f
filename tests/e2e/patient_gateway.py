"""A gateway that waits for Redis as long as it takes: for tests in which a slow machine must not be
taken for a hung server. Started as `python -m tests.e2e.patient_gateway`."""

import sys

from tests.stores.redis_rig import PATIENT_S

from tidegate.gateway.process import main
from tidegate.stores.redis_counters import RedisCounters

RedisCounters.__init__.__kwdefaults__["deadline_s"] = PATIENT_S

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
