"""Suites of cases, in our own format and in those of other tools."""
