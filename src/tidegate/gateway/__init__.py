"""The hot path and nothing else: one file a stage, read straight down in `life`."""
