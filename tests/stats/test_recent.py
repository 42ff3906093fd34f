from tidegate.stats.recent import KEPT, LEAST, Recent


def test_a_quantile_is_of_the_latest() -> None:
    recent = Recent()
    for _ in range(KEPT):
        recent.add(9.0)
    for value in range(KEPT):
        recent.add(float(value))
    assert recent.quantile(0.5) == KEPT / 2
    assert recent.quantile(1.0) == KEPT - 1


def test_of_few_there_is_none() -> None:
    recent = Recent()
    for _ in range(LEAST - 1):
        recent.add(1.0)
    assert recent.quantile(0.95) is None
    recent.add(1.0)
    assert recent.quantile(0.95) == 1.0
