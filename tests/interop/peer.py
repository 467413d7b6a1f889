"""A peer of Pantala that owes nothing to the others: written from docs/protocol.md alone. It takes part in one task, whose
source is a web server with ETags and ranges, and serves it until SIGTERM. What happens is printed as JSON lines.

It has one small task, and so leaves out what that never needs: pace, renewal of tickets, seeds, cursors."""

import argparse
import asyncio
import hashlib
import json
import os
import random
import secrets
import signal
import time

import aiohttp
from blake3 import blake3

from channel import Channel
from content import KIB, Content, ticket_key_of
from piece_server import start_piece_server

PARENT_FAILURES = 5
NEWS_WAIT_MS = 300


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Peer:
    def __init__(self, http, content, address):
        self.http, self.content = http, content
        self.about = {"taskId": content.task_id}
        host = {"hostId": secrets.token_hex(16), "hostname": "stranger", "role": "normal", "address": address}
        self.hello = {"type": "hello", "host": {**host, "version": "interop", "startedAtMs": int(time.time() * 1000)}}
        self.totals = {"sourceBytes": 0, "peerBytes": 0}
        self.heartbeat_s, self.progress_s = 30, 0.2
        self.channel, self.ticket, self.digests = None, "", {}
        self.leases, self.neighbours, self.asked = {}, {}, set()
        self.added, self.fresh, self.told = set(), set(), []
        self.tasks = set()

    def start(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def statements(self, channel):
        """All that this shard has to know of the host, so that what it was told before does not matter."""
        if channel is not self.channel:
            return []
        self.added, self.fresh, self.told = set(), set(), []
        held = {"wanting": not self.content.complete, "have": self.content.bitfield()}
        return [{"type": "announce", "task": self.content.info, **held, "leases": self.readings()}]

    def readings(self):
        names = ("leaseId", "firstPiece", "pieceCount", "readBytes")
        return [{name: lease[name] for name in names} for lease in self.leases.values()]

    async def hear(self, message):
        match message["type"]:
            case "welcome":
                self.heartbeat_s = message["heartbeatIntervalMs"] / 1000
                self.progress_s = message["progressIntervalMs"] / 1000
            case "task":
                self.ticket = message["ticket"]
                if message["digestsWanted"]:
                    self.fresh |= self.content.held
            case "digests":
                for run in message["runs"]:
                    for at in range(0, len(run["digests"]), 32):
                        self.digests[run["firstPiece"] + at // 32] = run["digests"][at : at + 32]
            case "neighbours":
                for host_id in message.get("remove", []):
                    self.neighbours.pop(host_id, None)
                for host in message.get("add", []):
                    self.neighbours[host["hostId"]] = host["address"]
                    self.start(self.trade(host["hostId"], host["address"]))
            case "leases":
                self.hear_leases(message)
            case "ban":
                self.neighbours.pop(message["hostId"], None)
            case "refused" | "error" as kind:
                tell(kind, message=message)

    def hear_leases(self, message):
        for lease_id in message.get("revoked", []):
            self.leases.pop(lease_id, None)
        for lease in message.get("granted", []):
            if lease["leaseId"] not in self.leases:
                self.leases[lease["leaseId"]] = lease | {"readBytes": 0, "next": lease["firstPiece"]}
                self.start(self.read_source(lease["leaseId"]))
        for asked in message.get("shortened", []):
            if lease := self.leases.get(asked["leaseId"]):
                least = max(asked["pieceCount"], lease["next"] + 1 - lease["firstPiece"])
                lease["pieceCount"] = min(lease["pieceCount"], least)

    async def read_source(self, lease_id):
        lease, content = self.leases[lease_id], self.content
        first, last = lease["firstPiece"], lease["firstPiece"] + lease["pieceCount"] - 1
        headers = {"range": f"bytes={content.place_of(first)[0]}-{content.place_of(last)[1] - 1}"}
        try:
            async with self.http.get(content.url, headers=headers) as reply:
                if reply.status != 206 or reply.headers["etag"] != content.etag:
                    raise aiohttp.ClientError(f"the source answers {reply.status}, or with another ETag")
                while lease_id in self.leases and lease["next"] < first + lease["pieceCount"]:
                    start, end = content.place_of(lease["next"])
                    body = b""
                    while len(body) < end - start:
                        chunk = await reply.content.readexactly(min(64 * KIB, end - start - len(body)))
                        body += chunk
                        lease["readBytes"] += len(chunk)
                    self.fresh.add(lease["next"])
                    self.keep(lease["next"], body, "sourceBytes")
                    lease["next"] += 1
        except (aiohttp.ClientError, asyncio.IncompleteReadError) as error:
            await self.report()
            problem = {"code": "source-unreachable", "message": str(error)[:1024]}
            await self.channel.say({"type": "return-leases", **self.about, "leaseIds": [lease_id], "problem": problem})
        self.leases.pop(lease_id, None)
        await self.report()

    async def trade(self, host_id, address):
        """Takes what this neighbour holds and we lack, one piece after the other, as long as it is a neighbour."""
        held, version, failures = set(), None, 0
        while not self.content.complete and self.neighbours.get(host_id) == address:
            wanted = [n for n in held - self.content.held - self.asked if n in self.digests]
            try:
                if wanted:
                    await self.take(host_id, random.choice(wanted))
                else:
                    query = "" if version is None else f"?since={version}&waitMs={NEWS_WAIT_MS}"
                    async with self.ask(address, f"bitfield{query}") as reply:
                        news = await reply.json()
                        version, held = news["version"], self.content.pieces_in(news["bitfield"])
                failures = 0
            except aiohttp.ClientResponseError as error:
                failures += error.status not in (404, 416, 429)
                await asyncio.sleep(0.25 * 2**failures)
            except (aiohttp.ClientError, asyncio.IncompleteReadError, TimeoutError):
                failures += 1
                await asyncio.sleep(0.25 * 2**failures)
            if failures == PARENT_FAILURES:
                await self.blame(host_id, kind="unreachable")

    def ask(self, address, what, **headers):
        url = f"{address}/v1/tasks/{self.content.task_id}/{what}"
        headers["authorization"] = f"Bearer {self.ticket}"
        return self.http.get(url, headers=headers, allow_redirects=False, raise_for_status=True)

    async def take(self, host_id, piece):
        self.asked.add(piece)
        try:
            start, end = self.content.place_of(piece)
            async with self.ask(self.neighbours[host_id], "content", range=f"bytes={start}-{end - 1}") as reply:
                body = await reply.content.readexactly(end - start)
        finally:
            self.asked.discard(piece)
        if blake3(body).digest() == self.digests[piece]:
            self.keep(piece, body, "peerBytes")
        else:
            await self.blame(host_id, kind="corrupt", piece=piece)

    async def blame(self, host_id, **why):
        tell("fault", parentHostId=host_id, **why)
        self.neighbours.pop(host_id, None)
        await self.channel.say({"type": "fault", **self.about, "parentHostId": host_id, **why})

    def keep(self, piece, body, counter):
        self.totals[counter] += len(body)
        self.added.add(piece)
        self.content.keep(piece, body)

    async def report(self):
        readings = self.readings()
        if not self.channel.welcomed or not (self.added or self.fresh or readings != self.told):
            return
        added = [{"firstPiece": piece, "pieceCount": 1} for piece in self.added]
        digests = [{"firstPiece": piece, "digests": self.content.digest_of(piece)} for piece in self.fresh]
        self.added, self.fresh, self.told = set(), set(), readings
        news = {"added": added, "digests": digests, "leases": readings, **self.totals}
        await self.channel.say({"type": "progress", **self.about, **news})

    async def run(self):
        while not self.content.complete:
            await asyncio.sleep(self.progress_s)
            await self.report()
        await self.report()
        await self.channel.say({"type": "finish", **self.about, "state": "succeeded", **self.totals})
        tell("done", sha256=hashlib.sha256(self.content.bytes).hexdigest(), **self.totals)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scheduler", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--post", action="store_true", help="speak by POST alone")
    parser.add_argument("--lie", action="store_true", help="flip a bit of each piece that is served")
    options = parser.parse_args()
    token, left = os.environ["PANTALA_TOKEN"], asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, left.set)
    bearer = {"authorization": f"Bearer {token}"}
    plain = {"accept-encoding": "identity"}
    async with aiohttp.ClientSession(headers=plain) as http, aiohttp.ClientSession(headers=plain | bearer) as scheduler:
        async with http.head(options.source, raise_for_status=True) as reply:
            content = Content(options.source, reply.headers["etag"], int(reply.headers["content-length"]))
        stop, address = await start_piece_server(content, ticket_key_of(token), options.lie)
        peer = Peer(http, content, address)
        async with scheduler.get(f"{options.scheduler}/v1/cluster", raise_for_status=True) as reply:
            count = (await reply.json())["shardCount"]
        home, shard = (int(name[:8], 16) % count for name in (peer.hello["host"]["hostId"], content.task_id))
        urls = {number: f"{options.scheduler}/v1/shards/{number}" for number in (home, shard)}
        channels = {number: Channel(scheduler, url, peer, options.post) for number, url in urls.items()}
        peer.channel = channels[shard]
        for work in (peer, *channels.values()):
            peer.start(work.run())
        tell("joining", hostId=peer.hello["host"]["hostId"], taskId=content.task_id)
        await left.wait()
        for task in list(peer.tasks):
            task.cancel()
        for channel in channels.values():
            gone = {"type": "finish", **peer.about, "state": "left", **peer.totals}
            await channel.leave(*([gone] if channel is peer.channel else []))
        await stop()


asyncio.run(main())
