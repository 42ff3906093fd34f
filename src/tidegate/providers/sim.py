"""The engine that needs no GPU (`tidegate sim serve`), at its default address."""

from tidegate.core.plan import AdapterForm
from tidegate.core.plugs import BatchWire
from tidegate.providers.openai_compatible import Anything, Batches


class Sim(Anything):
    base_url = "http://127.0.0.1:8190/v1"
    batches: BatchWire | None = Batches(price_share=0.5)
    adapters: AdapterForm | None = "model"


plug = Sim()
