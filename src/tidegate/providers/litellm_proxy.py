"""A LiteLLM proxy, as long as it is still there."""

from tidegate.providers._manners import Manners
from tidegate.providers.openai_compatible import Anything


class LitellmProxy(Anything):
    base_url = None
    address_form = "http://HOST:4000/v1"
    manners = Manners(reasoning="reasoning_content", top_k=True)


plug = LitellmProxy()
