import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { bytesOf, problemIn, sourceOpener } from "../../tests/fixtures/opened-source.ts";
import { trustingFetch } from "../runtime/trusting-fetch.ts";
import { checkPullAddress } from "../source/address-guard.ts";
import { authorityOf } from "./request-target.ts";
import { tunnel } from "./tunnel.ts";
import { UpstreamAccess } from "./upstream-access.ts";
import { UpstreamRequests } from "./upstream-requests.ts";

/** Two machines behind one name: 127.0.0.2 stands for one that may be reached, 127.0.0.1 is this machine's own. */
const OPEN = "127.0.0.2";
const OWN = "127.0.0.1";
const CONTENT = Buffer.from("what everybody may read");
const servers = [OPEN, OWN].map(() => createServer());
const asked: string[] = [];
let port: number;
let url: URL;

beforeAll(async () => {
  for (const [index, address] of [OPEN, OWN].entries()) {
    const server = servers[index];
    server?.on("request", (request, response) => {
      asked.push(`${address} ${request.method} ${request.headers.host}`);
      response.writeHead(200, { etag: '"1"', "accept-ranges": "bytes", "content-length": String(CONTENT.length) });
      response.end(request.method === "HEAD" ? undefined : CONTENT);
    });
    server?.listen(port ?? 0, address);
    if (server === undefined) continue;
    await once(server, "listening");
    port ??= (server.address() as AddressInfo).port;
  }
  url = new URL(`http://rebound.invalid:${port}/model.bin`);
});

afterAll(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** The first answer is the harmless one; each further one leads home. */
function changing() {
  let lookups = 0;
  const resolve = async () => (++lookups === 1 ? [OPEN] : [OWN]);
  const policy = { allow: [OPEN], only: [], deny: [], ports: [] };
  const access = new UpstreamAccess({ policy: () => policy, isSelf: () => false, resolve });
  return { resolve, access };
}

const opener = () => sourceOpener({ fetch: trustingFetch(async () => undefined, {}) });

test("what is shared is read from the address that was admitted, though the name means another one by then", async () => {
  asked.length = 0;
  const { access } = changing();
  const source = await opener().open(url.href, {}, { guard: (hop) => access.admit(authorityOf(hop)) });
  expect(Buffer.from(await bytesOf(source))).toEqual(CONTENT);
  expect(asked).toEqual([`${OPEN} HEAD ${url.host}`, `${OPEN} GET ${url.host}`]);
});

test("a seed reads from the address it looked at, and refuses the name when it has changed", async () => {
  asked.length = 0;
  const { resolve } = changing();
  const guard = (hop: URL) => checkPullAddress(hop, { allow: [OPEN], resolve });
  const source = await opener().open(url.href, {}, { guard });
  const stat = await source.stat(new AbortController().signal);
  expect((await problemIn(bytesOf(source, undefined, stat))).code).toBe("forbidden");
  expect(asked).toEqual([`${OPEN} HEAD ${url.host}`]);
});

test("what goes straight through goes to the address that was admitted", async () => {
  asked.length = 0;
  const requests = new UpstreamRequests("test");
  const addresses = await changing().access.admit(authorityOf(url));
  const target = { url, rawPath: url.pathname };
  const request = requests.open({ method: "GET", target, headers: [], hasBody: false, addresses, tls: undefined });
  request.end();
  const [reply] = (await once(request, "response")) as [IncomingMessage];
  reply.resume();
  await once(reply, "end");
  expect(asked).toEqual([`${OPEN} GET ${url.host}`]);
  requests.close();
});

test("a tunnel leads to the address that was admitted", async () => {
  asked.length = 0;
  const authority = authorityOf(url);
  const addresses = await changing().access.admit(authority);
  const door = createTcpServer((client) => void tunnel(client, new Uint8Array(), authority, addresses));
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const client = connect((door.address() as AddressInfo).port, "127.0.0.1");
  client.write(`GET / HTTP/1.1\r\nHost: in-a-tunnel\r\nConnection: close\r\n\r\n`);
  let answer = "";
  client.on("data", (bytes) => {
    answer += String(bytes);
  });
  await once(client, "close");
  expect(answer).toStartWith("HTTP/1.1 200 Connection established");
  expect(asked).toEqual([`${OPEN} GET in-a-tunnel`]);
  door.close();
});
