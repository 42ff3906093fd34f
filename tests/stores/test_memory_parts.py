from tidegate.stores._memory_parts import PARTS, Parts


def filled(count: int) -> Parts[int]:
    parts: Parts[int] = Parts()
    for number in range(count):
        scope = f"key {number}"
        parts.parts[hash(scope) % PARTS][scope] = number
    return parts


def test_a_sweep_of_few_looks_at_all() -> None:
    parts = filled(1000)
    parts.sweep(lambda number: number >= 900)
    assert len(parts) == 100


def test_sweeps_go_round_a_bounded_number_at_once() -> None:
    parts = filled(20_000)
    asked: list[int] = []
    for _ in range(10):
        before = len(asked)
        parts.sweep(lambda number: asked.append(number) is None)
        assert len(asked) - before < 6_000
    assert set(asked) == set(range(20_000))


def test_dropping_ends() -> None:
    parts = filled(20_000)
    rounds = 1
    while parts.drop():
        rounds += 1
    assert rounds > 3
    assert len(parts) == 0
