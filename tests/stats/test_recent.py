from tidegate.stats.recent import KEPT, LEAST, Recent


def test_a_quantile_is_of_the_latest() -> None:
    recent = Recent()
    recent.extend([9.0] * KEPT)
    recent.extend(float(value) for value in range(KEPT))
    assert recent.quantile(0.5) == KEPT / 2
    assert recent.quantile(1.0) == KEPT - 1


def test_of_few_there_is_none() -> None:
    recent = Recent()
    recent.extend([1.0] * (LEAST - 1))
    assert recent.quantile(0.95) is None
    recent.extend([1.0])
    assert recent.quantile(0.95) == 1.0
