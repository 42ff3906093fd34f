"""As whom providers are asked: how to sign in to one cloud a file; no I/O."""
