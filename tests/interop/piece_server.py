"""What other peers ask of this one: docs/protocol.md, Peer to peer."""

import asyncio
import base64
import re

from aiohttp import web

from content import is_ticket_for


def refusal(status, code, message):
    return web.json_response({"code": code, "message": message, "detail": {}}, status=status)


async def start_piece_server(content, key, lies):
    """On a port of its own. `lies`: one bit of each answer is flipped. Gives what stops it, and its origin."""

    @web.middleware
    async def with_ticket(request, handler):
        scheme, _, ticket = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or ticket == "":
            return refusal(401, "unauthorized", "the ticket is missing")
        if not is_ticket_for(request.match_info["task"], ticket, key):
            return refusal(403, "forbidden", "the ticket is forged, expired, or for another task")
        if request.match_info["task"] != content.task_id:
            return refusal(404, "task-not-found", "this task is not kept here")
        return await handler(request)

    async def serve_content(request):
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        start, end = (int(asked[1]), min(int(asked[2]) + 1, content.size)) if asked else (0, content.size)
        if start >= end:
            return refusal(416, "range-unsatisfiable", f"the content has {content.size} bytes")
        if not content.holds(start, end):
            return refusal(404, "not-found", "these bytes are not all held here")
        body = content.bytes[start:end]
        if lies:
            body[len(body) // 2] ^= 1
        headers = {"etag": f'"{content.task_id}"', "cache-control": "no-transform"}
        if asked:
            headers["content-range"] = f"bytes {start}-{end - 1}/{content.size}"
        return web.Response(status=206 if asked else 200, headers=headers, body=bytes(body))

    async def serve_bitfield(request):
        wait_s = min(int(request.query.get("waitMs", "0")), 30_000) / 1000
        if request.query.get("since") == str(len(content.held)):
            await asyncio.wait([asyncio.ensure_future(content.changed.wait())], timeout=wait_s)
        bits = base64.b64encode(content.bitfield()).decode()
        return web.json_response({"version": len(content.held), "complete": content.complete, "bitfield": bits})

    async def refuse_pull(_):
        return refusal(403, "forbidden", "this host is no seed")

    app = web.Application(middlewares=[with_ticket])
    app.router.add_get("/v1/tasks/{task}/content", serve_content)
    app.router.add_get("/v1/tasks/{task}/bitfield", serve_bitfield)
    app.router.add_post("/v1/tasks/{task}/pull", refuse_pull)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    return runner.cleanup, f"http://{host}:{port}"
