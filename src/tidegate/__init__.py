"""Tidegate: an LLM gateway with the operations loop inside."""

__version__ = "0.1.0"
