"""Starts the processes; alone knows both planes."""
