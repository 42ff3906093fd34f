"""What makes texts vectors: one encoder a file, local, without a network."""
