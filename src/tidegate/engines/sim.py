"""The engine that needs no GPU: its page has vLLM's names."""

from tidegate.engines import vllm

plug = vllm.plug
