"""What signs, one kind of key a file. Each needs a library of its own."""
