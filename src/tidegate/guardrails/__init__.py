"""One kind of guardrail a file: what looks through texts of requests and answers. Pure."""
