"""Each check finds what it is for, and leaves the good form of the same thing alone."""

from pathlib import Path
from textwrap import dedent

import pytest
from tests.tidy import habits, reach, sizes, state
from tests.tidy.tree import Check, Tree

SRC = "src/tidegate"
UNFINISHED = "TO" + "DO"  # in two, or this file itself would be found


def plant(root: Path, files: dict[str, str]) -> Tree:
    (root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    return Tree(root)


def lines(count: int, head: str = "") -> str:
    return head + "x = 1\n" * count


def body(count: int) -> str:
    return "def f():\n" + "    x = 1\n" * (count - 1)


BAD: list[tuple[Check, dict[str, str]]] = [
    (sizes.file_sizes, {f"{SRC}/core/a.py": lines(501)}),
    (sizes.file_sizes, {"tests/core/test_a.py": lines(501)}),
    (sizes.file_sizes, {f"{SRC}/core/a{n}.py": lines(301) for n in range(3)}),
    (sizes.function_sizes, {f"{SRC}/core/a.py": body(71)}),
    (sizes.function_sizes, {"tests/core/test_a.py": body(71)}),
    (sizes.function_sizes, {f"{SRC}/core/a{n}.py": body(31) for n in range(3)}),
    (sizes.parameters, {f"{SRC}/core/a.py": "def f(a, b, c, d, *, e, f): ...\n"}),
    (sizes.parameters, {f"{SRC}/core/a.py": "def f(a, b, c, d, *e, **f): ...\n"}),
    (sizes.life_size, {f"{SRC}/gateway/life.py": lines(151)}),
    (sizes.folders, {f"{SRC}/control/api/keys.py": ""}),
    (sizes.nouns, {f"{SRC}/core/retry_policies.py": ""}),
    (sizes.nouns, {f"{SRC}/core/a.py": "class KeyManager: ...\n"}),
    (sizes.nouns, {f"{SRC}/core/a.py": "class HTTPHandlers: ...\n"}),
    (sizes.mirrors, {f"{SRC}/core/a.py": ""}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import time\nx = time.time()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "from time import monotonic as m\nx = m()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "from time import monotonic_ns\nf = monotonic_ns\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import datetime\nx = datetime.datetime.now()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "from datetime import datetime\nx = datetime.now()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import random\nx = random.random()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import random\nx = random.Random()\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import os\nx = os.urandom(8)\n"}),
    (habits.clock, {f"{SRC}/gateway/a.py": "import time\nx = time.gmtime()\n"}),
    (habits.json_imports, {f"{SRC}/core/a.py": "import json\n"}),
    (habits.json_imports, {f"{SRC}/core/a.py": "from json import loads\n"}),
    (habits.late_imports, {f"{SRC}/core/a.py": "def f():\n    import os\n"}),
    (habits.late_imports, {f"{SRC}/core/a.py": "import importlib\nimportlib.import_module('x')\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "text(f'SELECT {name}')\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "db.execute('SELECT %s' % name)\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "db.execute('delete from ' + name)\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "q = 'SELECT {}'.format(name)\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "eval('1')\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "exec('1')\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "import pickle\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "from marshal import loads\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "import yaml\nyaml.load(x)\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "run('x', shell=True)\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "get('x', verify=False)\n"}),
    (habits.dangerous, {f"{SRC}/core/a.py": "import ssl\nc.verify_mode = ssl.CERT_NONE\n"}),
    (habits.unfinished, {f"{SRC}/core/a.py": f"x = 1  # {UNFINISHED}: later\n"}),
    (habits.unfinished, {"tests/test_a.py": f"# {UNFINISHED}\n"}),
    (habits.skips, {"tests/test_a.py": "import pytest\n@pytest.mark.skip\ndef test(): ...\n"}),
    (habits.skips, {"tests/test_a.py": "from pytest import mark\n@mark.xfail\ndef test(): ...\n"}),
    (habits.skips, {"tests/test_a.py": "import pytest\npytest.importorskip('x')\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "cache = {}\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "if x:\n    seen: set[str] = set()\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "from collections import deque\nq = deque()\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "SEEN = {}\ndef f():\n    SEEN['a'] = 1\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "SEEN = []\ndef f():\n    SEEN.append(1)\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "n = 0\ndef f():\n    global n\n    n = 1\n"}),
    (state.class_state, {f"{SRC}/core/a.py": "class A:\n    seen = []\n"}),
    (state.class_state, {f"{SRC}/core/a.py": "class A:\n    seen: dict[str, int] = {}\n"}),
    (
        state.unbounded_memos,
        {f"{SRC}/core/a.py": "import functools\n@functools.cache\ndef f(a): ...\n"},
    ),
    (
        state.unbounded_memos,
        {f"{SRC}/core/a.py": "from functools import lru_cache\n@lru_cache(None)\ndef f(a): ...\n"},
    ),
    (reach.dead_modules, {f"{SRC}/boot/entry.py": "", f"{SRC}/core/a.py": ""}),
]


@pytest.mark.parametrize(("check", "files"), BAD)
def test_a_bad_sample_is_found(tmp_path: Path, check: Check, files: dict[str, str]) -> None:
    assert check(plant(tmp_path, files))


GOOD: list[tuple[Check, dict[str, str]]] = [
    (sizes.file_sizes, {f"{SRC}/core/a{n}.py": lines(500 if n == 0 else 300) for n in range(10)}),
    (sizes.function_sizes, {f"{SRC}/core/a{n}.py": body(70 if n == 0 else 30) for n in range(10)}),
    (sizes.parameters, {f"{SRC}/core/a.py": "class A:\n    def f(self, a, b, c, d, e): ...\n"}),
    (sizes.life_size, {f"{SRC}/gateway/life.py": lines(150)}),
    (sizes.folders, {f"{SRC}/gateway/http/a.py": "", f"{SRC}/stores/migrations/versions/a.py": ""}),
    (sizes.nouns, {f"{SRC}/core/a.py": "class Transaction: ...\nclass Utility: ...\n"}),
    (sizes.mirrors, {f"{SRC}/core/_a.py": "", "tests/core/test_a.py": ""}),
    (habits.clock, {f"{SRC}/core/clock.py": "import time\nx = time.time()\n"}),
    (habits.clock, {f"{SRC}/sim/a.py": "import random\ndef f(r: random.Random): ...\n"}),
    (habits.clock, {f"{SRC}/sim/a.py": "import random\nx = random.Random(7)\n"}),
    (habits.clock, {f"{SRC}/cli/a.py": "import time\nx = time.gmtime(0)\n"}),
    (habits.json_imports, {f"{SRC}/core/a.py": "from msgspec import json\n"}),
    (habits.late_imports, {f"{SRC}/core/plugs.py": "def f():\n    import os\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "text('SELECT a ' 'FROM b WHERE c = :c')\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "execute(f'PRAGMA cache_size={_CACHE_PAGES}')\n"}),
    (habits.built_sql, {f"{SRC}/stores/a.py": "raise ValueError(f'select a row, not {x}')\n"}),
    (
        habits.dangerous,
        {f"{SRC}/core/a.py": "run('x', shell=False, verify=True)\nre.compile('x')\n"},
    ),
    (habits.skips, {"tests/test_a.py": "import pytest\n@pytest.mark.soak\ndef test(): ...\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "CODES = {'a': 1}\n_NAMES = [1]\nx = (1, 2)\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "CODES = {}\nCODES['a'] = 1\n"}),
    (state.module_state, {f"{SRC}/core/a.py": "def f():\n    seen = []\n    seen.append(1)\n"}),
    (
        state.class_state,
        {
            f"{SRC}/core/a.py": "from collections.abc import Mapping\nfrom typing import ClassVar\n"
            "class A:\n    x: ClassVar[Mapping[str, int]] = {}\n    y: Mapping[str, int] = {}\n"
        },
    ),
    (state.class_state, {f"{SRC}/core/a.py": "class A(Struct):\n    seen: list[int] = []\n"}),
    (
        state.unbounded_memos,
        {f"{SRC}/core/a.py": "from functools import lru_cache\n@lru_cache(64)\ndef f(a): ...\n"},
    ),
    (
        reach.dead_modules,
        {
            f"{SRC}/boot/entry.py": "from tidegate.core import a\n",
            f"{SRC}/core/a.py": "X = 'tidegate.boot.child'\n",
            f"{SRC}/boot/child.py": "",
            f"{SRC}/providers/sim.py": "",
        },
    ),
]


@pytest.mark.parametrize(("check", "files"), GOOD)
def test_a_good_sample_passes(tmp_path: Path, check: Check, files: dict[str, str]) -> None:
    assert check(plant(tmp_path, files)) == []


def test_sixteen_dependencies_are_one_too_many(tmp_path: Path) -> None:
    tree = plant(tmp_path, {})
    for count, found in ((15, 0), (16, 1)):
        names = ", ".join(f'"p{n}"' for n in range(count))
        (tmp_path / "pyproject.toml").write_text(f"[project]\ndependencies = [{names}]\n")
        assert len(sizes.dependencies(tree)) == found
