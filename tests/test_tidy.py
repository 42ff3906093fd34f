"""Sizes and habits of the house, read off its source; see docs/architecture.md."""

from pathlib import Path

import pytest
from tests.tidy import habits, reach, sizes, state
from tests.tidy.tree import Check, Tree

CHECKS: tuple[Check, ...] = (
    sizes.file_sizes,
    sizes.function_sizes,
    sizes.parameters,
    sizes.life_size,
    sizes.folders,
    sizes.dependencies,
    sizes.nouns,
    sizes.mirrors,
    habits.clock,
    habits.json_imports,
    habits.late_imports,
    habits.built_sql,
    habits.dangerous,
    habits.unfinished,
    habits.skips,
    state.module_state,
    state.class_state,
    state.unbounded_memos,
    reach.dead_modules,
)


@pytest.fixture(scope="module")
def tree(repository: Path) -> Tree:
    """Not kept longer: whoever collects garbage would look at its millions of nodes."""
    return Tree(repository)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_keeps_its_habits(tree: Tree, check: Check) -> None:
    found = check(tree)
    assert not found, "\n".join(found)


def test_there_is_a_house_to_check(tree: Tree) -> None:
    assert len(tree.source) > 10
    assert len(tree.tests) > 5
