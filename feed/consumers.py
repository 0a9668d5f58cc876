"""The websocket of an open page: new posts for the pill, deletions, the notification badge."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from feed import live


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Sends `new_post`, `deleted` and `notified`; takes `{"watch": [author ids]}` from the page."""

    # News come from the log, not from a channel layer, so no connection to one is opened.
    channel_layer_alias = ""
    listener: live.Listener | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            # Accepted first: only then does the browser see the reason.
            await self.accept()
            await self.close(code=live.NOT_SIGNED_IN)
            return
        loop = asyncio.get_running_loop()
        self.listener = await database_sync_to_async(live.listener_for)(
            self, user, loop, self.scope["session"].session_key
        )
        live.audience.join(self.listener)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        if self.listener is not None:
            live.audience.leave(self.listener)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if self.listener is not None and isinstance(content, dict):
            live.watch(self.listener, content.get("watch"))

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """What is not JSON is nothing, not an error."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None
