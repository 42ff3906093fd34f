"""Which plugs have chats: the others embed, or rank."""

from tidegate.core import plugs

CHATTING = [n for n in plugs.names("providers") if "chat" in plugs.load("providers", n).endpoints]
