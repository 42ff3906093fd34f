"""Suites, their runs and gates."""
