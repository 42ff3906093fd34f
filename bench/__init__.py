"""Tidegate beside other gateways: `python -m bench`."""
