"""One task's content in memory, cut into pieces, and the names and rights that docs/protocol.md derives."""

import asyncio
import base64
import hashlib
import hmac
import json
import struct
import time

from blake3 import blake3

KIB = 1024
MIB = 1024 * KIB


class Content:
    def __init__(self, url, etag, size):
        self.url, self.etag, self.size = url, etag, size
        self.piece_length = 256 * KIB
        while self.piece_length < 16 * MIB and self.piece_length * 1024 < size:
            self.piece_length *= 2
        self.piece_count = -(-size // self.piece_length)
        version = f"etag:{etag}"
        self.task_id = task_id_of(url, "", "", version, size)
        self.info = {"taskId": self.task_id, "url": url, "version": version, "sizeBytes": size, "ranged": True}
        self.info["pieceLengthBytes"] = self.piece_length
        self.bytes, self.held, self.changed = bytearray(size), set(), asyncio.Event()

    @property
    def complete(self):
        return len(self.held) == self.piece_count

    def place_of(self, piece):
        return piece * self.piece_length, min((piece + 1) * self.piece_length, self.size)

    def holds(self, start, end):
        return self.held.issuperset(range(start // self.piece_length, -(-end // self.piece_length)))

    def keep(self, piece, body):
        start, end = self.place_of(piece)
        self.bytes[start:end] = body
        self.held.add(piece)
        # Who waits is woken once; who comes later waits for the next one.
        self.changed.set()
        self.changed = asyncio.Event()

    def digest_of(self, piece):
        start, end = self.place_of(piece)
        return blake3(self.bytes[start:end]).digest()

    def bitfield(self):
        return sum(1 << piece for piece in self.held).to_bytes(-(-self.piece_count // 8), "little")

    def pieces_in(self, text):
        bits = int.from_bytes(base64.b64decode(text), "little")
        return {piece for piece in range(self.piece_count) if bits >> piece & 1}


def task_id_of(location, tag, application, version, size, user_piece_length=""):
    fields = ["pantala-task-1", location, tag, application, version, str(size), str(user_piece_length)]
    texts = [field.encode() for field in fields]
    return hashlib.sha256(b"".join(struct.pack(">I", len(text)) + text for text in texts)).hexdigest()


def ticket_key_of(token):
    """HKDF-SHA256, whose one block is all of the 32 bytes."""
    return hmac.digest(hmac.digest(b"pantala", token.encode(), "sha256"), b"ticket-v1\x01", "sha256")


def is_ticket_for(task_id, ticket, key):
    def decoded(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    try:
        signed, _, signature = ticket.rpartition(".")
        header, claims = (json.loads(decoded(part)) for part in signed.split("."))
        if not hmac.compare_digest(decoded(signature), hmac.digest(key, signed.encode(), "sha256")):
            return False
        named = (header["alg"], claims["iss"], claims["task"]) == ("HS256", "pantala", task_id)
        return named and claims["exp"] > time.time() - 60
    except (ValueError, KeyError, TypeError):
        return False
