"""Stand-in for a language model behind an OpenAI-compatible address.

POST /v1/chat/completions     answers as a test has said, or with no acts
"""

import json
from typing import Any

from aiohttp import web

from bot.sandbox.hub import Faults

KEY = "sandbox-second-reader"


class SecondReaderStandIn:
    """Answers every line in the same way; `faults` fails calls and holds answers back."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.content = '{"acts": []}'
        """What the model writes."""
        self.requests: list[dict[str, Any]] = []

    def says(self, *acts: dict[str, Any]) -> None:
        self.content = json.dumps({"acts": acts})

    @property
    def lines(self) -> list[str]:
        """The lines that it was given, as they left the shop."""
        return [json.loads(request["messages"][-1]["content"])["line"] for request in self.requests]

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        return await self.faults.handle(request, self._complete)

    async def _complete(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        self.requests.append(await request.json())
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.content}}
        return web.json_response({"object": "chat.completion", "choices": [choice]})
