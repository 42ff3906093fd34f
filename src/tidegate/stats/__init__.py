"""Mergeable histograms, sequential tests, burn rates: arithmetic on what was counted, no I/O."""
