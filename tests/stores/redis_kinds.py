"""The servers that tests run on: Redis where the machine has it, Valkey always."""

import pytest

KINDS = ("valkey", pytest.param("redis", marks=pytest.mark.redis))
