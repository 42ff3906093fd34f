"""One wire dialect a file; each holds `plug`. Pure: bytes in, bytes and facts out."""
