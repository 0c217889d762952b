"""How fast a vendor is written to: as he allows, so that a rush of ours doesn't end in his refusals."""

import asyncio


class Pace:
    """Spaces messages evenly, at most so many a second; who finds nobody before him doesn't wait."""

    def __init__(self, per_second: int) -> None:
        self._gap = 1 / per_second
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait until it is our turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._free_at)
        self._free_at = at + self._gap
        await asyncio.sleep(at - now)
