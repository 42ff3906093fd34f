"""Kinds of limits, one file each: what is held for a request, and the words of its refusal."""
