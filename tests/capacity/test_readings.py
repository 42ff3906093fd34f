from tidegate.capacity.readings import Histogram, Histograms


def test_a_value_on_a_bound_belongs_below_it_as_prometheus_has_it():
    seen = Histogram((1.0, 2.0))
    for value in (1.0, 1.5, 2.0, 9.0):
        seen.observe(value)
    assert seen.counts == [1, 2, 1]
    assert (seen.count, seen.total) == (4, 13.5)


def test_a_value_may_count_several_times():
    seen = Histogram((1.0,))
    seen.observe(0.5, times=4)
    assert (seen.counts, seen.count, seen.total) == ([4, 0], 4, 2.0)


def test_bounds_rise():
    everything = Histograms()
    for name in Histograms.__slots__:
        bounds = getattr(everything, name).bounds
        assert list(bounds) == sorted(set(bounds)), name
