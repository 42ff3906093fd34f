"""Mergeable histograms, sequential tests, burn rates. Pure: no I/O, no clock."""
