"""The load of the REST benchmarks, in its own process: sends requests and reports their latencies.

    stdin   a round per line, as JSON: {"port": 8080, "connections": 16, "requests": ["GET / HTTP/1.1\\r\\n…", …]}
    stdout  the round as JSON: {"latencies": [ms, …], "seconds": s}

The process ends at a response that isn't a success.
"""

# ruff: noqa: T201

import asyncio
import json
import sys
from collections.abc import Iterator
from time import perf_counter


async def main() -> None:
    """Run rounds until EOF."""
    rounds = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(rounds), sys.stdin)
    async for line in rounds:
        plan = json.loads(line)
        requests = iter([request.encode() for request in plan["requests"]])
        latencies: list[float] = []
        begin = perf_counter()
        await asyncio.gather(*(_connection(plan["port"], requests, latencies) for _ in range(plan["connections"])))
        print(json.dumps({"latencies": latencies, "seconds": perf_counter() - begin}), flush=True)


async def _connection(port: int, requests: Iterator[bytes], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        since = perf_counter()
        writer.write(request)
        await _answered(reader)
        latencies.append(1e3 * (perf_counter() - since))
    writer.close()


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = await reader.readexactly(int(length.split(b":")[1]))
    if not head.startswith(b"HTTP/1.1 20"):
        raise RuntimeError((head + body).decode())


if __name__ == "__main__":
    asyncio.run(main())
