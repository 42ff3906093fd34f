"""The engine that needs no GPU (`tidegate sim serve`), at its default address."""

from tidegate.providers.openai_compatible import Anything


class Sim(Anything):
    base_url = "http://127.0.0.1:8190/v1"


plug = Sim()
