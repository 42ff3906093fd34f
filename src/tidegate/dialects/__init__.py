"""One caller's wire a file; each holds `plug`. Pure: bytes into the common middle and out of it."""
