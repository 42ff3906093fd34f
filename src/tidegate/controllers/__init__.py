"""One controller a file: a pure decision, from what is known to what should be done."""
