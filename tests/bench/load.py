"""The load of the turn benchmarks, in its own process: chats that send a message, wait for the reply, and go on.

    stdin   first "CHATS DIALOGUES FIRST_ID PORT…", then each processed update and its time: "UPDATE_ID MOMENT" per line
    stdout  a space when the measured part begins; then the times when each message was posted and done, as JSON

Each message of a chat goes to the next port. Times are `perf_counter_ns`, which all processes of a machine share.
"""

# ruff: noqa: T201

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from time import perf_counter_ns

from dialogue import DIALOGUE, update

SECRET = "bench-secret"

Spans = list[tuple[int, int]]


async def main() -> None:
    """Read the parameters, warm up with one dialogue, then run all of them."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    chats, dialogues, first, *ports = (int(word) for word in (await orders.readline()).split())
    done: dict[int, asyncio.Future[int]] = {}
    ids = count(first)
    listening = asyncio.create_task(_listen(orders, done))
    await _chat(ports, ids, done, dialogues=1)
    print(" ", end="", flush=True)
    spans = await asyncio.gather(*(_chat(ports, ids, done, dialogues=dialogues) for _ in range(chats)))
    listening.cancel()
    print(json.dumps([span for each in spans for span in each]))


async def _chat(
    ports: Sequence[int], ids: Iterator[int], done: dict[int, asyncio.Future[int]], *, dialogues: int
) -> Spans:
    """Run dialogues on one connection to each port; returns the times when each message was posted and done."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    taking_turns, spans = cycle(connections), Spans()
    for _ in range(dialogues):
        person = next(ids)
        for turn in range(len(DIALOGUE)):
            reader, writer = next(taking_turns)
            update_id = next(ids)
            handed_over = done[update_id] = asyncio.get_running_loop().create_future()
            request = _request(update(person, update_id, turn))
            since = perf_counter_ns()
            writer.write(request)
            await _answered(reader)
            spans.append((since, await handed_over))
    for _, writer in connections:
        writer.close()
    return spans


def _request(payload: object) -> bytes:
    body = json.dumps(payload).encode()
    head = (
        "POST /webhooks/telegram HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))


async def _listen(reader: asyncio.StreamReader, done: dict[int, asyncio.Future[int]]) -> None:
    async for line in reader:
        update_id, moment = line.split()
        done.pop(int(update_id)).set_result(int(moment))


if __name__ == "__main__":
    asyncio.run(main())
