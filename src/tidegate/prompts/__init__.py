"""Prompts: read from Git, rendered, compared."""
