"""Text as it arrives: strict JSON, server-sent events, tokenizers, redaction."""
