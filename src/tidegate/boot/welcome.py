"""What `tidegate up` says once it serves: where things are, and a first request to copy."""

from msgspec import Struct


class Welcome(Struct, frozen=True):
    """The facts of a start. `key` is None when the caller must bring one of their own; `leader` is
    where plan, keys and budgets are changed, where this control stands by."""

    gateway_url: str
    control_url: str
    state: str
    plan: str
    model_note: str | None = None
    route: str | None = None
    routes_total: int = 0
    key: str | None = None
    key_hours: int = 0
    leader: str | None = None

    def text(self) -> str:
        """The whole message, ready to print."""
        parts = [self._where(), self._first_request(), "Ctrl-C stops it.\n"]
        return "\n".join(part for part in parts if part)

    def _where(self) -> str:
        note = f"{self.model_note}\n" if self.model_note else ""
        return (
            f"{note}"
            f"Tidegate serves {self.gateway_url}/v1  ({_count(self.routes_total, 'route')})\n"
            f"  plan      {self.plan}\n"
            f"  control   {self.control_url}\n"
            f"  state     {self.state}  (operator.token in it opens control)\n"
            f"{self._standing()}"
        )

    def _standing(self) -> str:
        if self.leader is None:
            return ""
        return (
            f"  standing  by: {self.leader} leads, and takes changes of plan, keys and budgets; "
            "this one takes over when that is gone\n"
        )

    def _first_request(self) -> str:
        if self.route is None:
            return ""
        shown = self.key or "$TIDEGATE_KEY"
        if self.key:
            key_note = f"This key ends in {_count(self.key_hours, 'hour')}; make your own with"
        else:
            where = "" if self.leader is None else " on the machine that leads"
            key_note = f"Set TIDEGATE_KEY to a key of yours, or make one{where} with"
        in_python = f'"{self.key}"' if self.key else 'os.environ["TIDEGATE_KEY"]'
        return (
            f"{key_note} `tidegate key create --name NAME --team TEAM`.\n"
            "\n"
            f"  curl {self.gateway_url}/v1/chat/completions \\\n"
            f'    -H "Authorization: Bearer {shown}" -H "Content-Type: application/json" \\\n'
            f'    -d \'{{"model": "{self.route}", '
            '"messages": [{"role": "user", "content": "Say hello."}]}\'\n'
            "\n" + ("" if self.key else "  import os\n") + "  from openai import OpenAI\n"
            f'  client = OpenAI(base_url="{self.gateway_url}/v1", api_key={in_python})\n'
            f'  answer = client.chat.completions.create(model="{self.route}",\n'
            '      messages=[{"role": "user", "content": "Say hello."}])\n'
            "  print(answer.choices[0].message.content)\n"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
