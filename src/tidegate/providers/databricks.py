"""Databricks' model serving, whose content may come in parts, with the reasoning in one of its own.

A model is an endpoint's name.
"""

from tidegate.core.embeddings import Embedder
from tidegate.core.receipt import Endpoint
from tidegate.providers._manners import Manners
from tidegate.providers._openai_embeddings import OpenAIEmbeddings
from tidegate.providers._parts import InParts


class Databricks(InParts):
    base_url = None
    address_form = "https://WORKSPACE.cloud.databricks.com/serving-endpoints"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat", "embeddings"})
    embedder: Embedder | None = OpenAIEmbeddings()
    manners = Manners(top_k=True)


plug = Databricks()
