"""HTTP/1.1 on asyncio protocols and httptools, with a strict layer on top. Both sides."""
