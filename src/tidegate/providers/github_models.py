"""GitHub Models: a model is `PUBLISHER/NAME`, the credential a token of GitHub."""

from tidegate.core.receipt import Endpoint
from tidegate.providers.openai_compatible import OpenAICompatible


class GithubModels(OpenAICompatible):
    base_url = "https://models.github.ai/inference"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    one_ceiling = True


plug = GithubModels()
