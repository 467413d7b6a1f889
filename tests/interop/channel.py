"""The channel of one host to one shard, by WebSocket or by POSTs alone: docs/protocol.md, Channel."""

import asyncio
import random

import aiohttp
import msgpack

NO_LOAD = dict.fromkeys(
    ["activeUploads", "activeDownloads", "uploadBytesPerSecond", "downloadBytesPerSecond"]
    + ["storedBytes", "freeBytes", "residentBytes"],
    0,
)
HEARTBEAT = {"type": "heartbeat", "load": NO_LOAD}


class Channel:
    def __init__(self, http, url, peer, by_post):
        self.http, self.url, self.peer, self.by_post = http, url, peer, by_post
        self.welcomed, self.socket, self.waiting = False, None, []

    async def run(self):
        """Comes back by itself, until it is cancelled."""
        wait_s = 0.25
        while True:
            try:
                await (self.exchange() if self.by_post else self.converse())
            except (aiohttp.ClientError, TimeoutError):
                pass
            wait_s = 0.25 if self.welcomed else min(15, wait_s * 2)
            self.welcomed = False
            await asyncio.sleep(wait_s * random.uniform(0.5, 1))

    async def say(self, *messages):
        """Dropped while nobody listens: what is stated after the next welcome says it all."""
        if self.welcomed and self.by_post:
            self.waiting += messages
        elif self.welcomed:
            await self.send(*messages)

    async def send(self, *messages):
        try:
            await self.socket.send_bytes(msgpack.packb({"v": 1, "messages": messages}))
        except ConnectionError:
            self.welcomed = False

    async def converse(self):
        async with self.http.ws_connect(f"{self.url}/channel") as self.socket:
            await self.send(self.peer.hello)
            silent = 0
            while silent < 2:
                try:
                    frame = await self.socket.receive(self.peer.heartbeat_s if self.welcomed else 10)
                except TimeoutError:
                    silent = silent + 1 if self.welcomed else 2
                    await self.send(HEARTBEAT)
                    continue
                if frame.type is not aiohttp.WSMsgType.BINARY:
                    return
                silent = 0
                await self.hear(frame.data)

    async def exchange(self):
        while True:
            said, self.waiting = self.waiting, []
            await self.post(HEARTBEAT, *said)
            await asyncio.sleep(0 if self.waiting else self.peer.progress_s)

    async def post(self, *messages):
        frame = msgpack.packb({"v": 1, "messages": [self.peer.hello, *messages]})
        headers = {"content-type": "application/msgpack"}
        async with self.http.post(f"{self.url}/messages", headers=headers, data=frame) as reply:
            reply.raise_for_status()
            await self.hear(await reply.read())

    async def hear(self, frame):
        for message in msgpack.unpackb(frame)["messages"]:
            if message["type"] == "welcome" and not self.welcomed:
                self.welcomed = True
                await self.peer.hear(message)
                await self.say(*self.peer.statements(self), HEARTBEAT)
            elif message["type"] == "resync":
                self.welcomed, self.waiting = False, []
                if not self.by_post:
                    await self.send(self.peer.hello)
            else:
                await self.peer.hear(message)

    async def leave(self, *messages):
        if self.by_post:
            await self.post(*messages, {"type": "bye"})
        elif self.welcomed:
            await self.send(*messages, {"type": "bye"})
