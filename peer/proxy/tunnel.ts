/** CONNECT: bytes both ways, unseen. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ProxyRefusal } from "./proxy-refusal.ts";
import type { Authority } from "./request-target.ts";
import { connectFault, lookupOf } from "./upstream-connect.ts";

export const CONNECTED = "HTTP/1.1 200 Connection established\r\n\r\n";
const CONNECT_TIMEOUT_MS = 15_000;
/** Neither side sent anything for this long. */
const SILENCE_MS = 30 * 60_000;

/** Resolves when both sides are done. @param head what the client sent already
 *  @throws ProxyRefusal when there is no connection; the client was told nothing yet */
export async function tunnel(
  client: Duplex,
  head: Uint8Array,
  { hostname, port }: Authority,
  addresses: readonly string[],
): Promise<void> {
  const server = connect({ host: hostname, port, lookup: lookupOf(addresses) });
  try {
    await connected(server, client);
  } catch (cause) {
    server.destroy();
    throw new ProxyRefusal(502, "backend", `${hostname}:${port} cannot be reached: ${connectFault(cause)}`, { cause });
  }
  client.write(CONNECTED);
  await join(client, head, server);
}

/** Lets both sides talk until they are done. */
export async function join(client: Duplex, head: Uint8Array, server: Socket): Promise<void> {
  server.setTimeout(SILENCE_MS, () => server.destroy());
  if (head.length > 0) server.write(head);
  const closed = [client, server].map(
    (side) =>
      new Promise<void>((resolve) => {
        side.once("close", resolve);
        side.once("error", () => side.destroy());
      }),
  );
  client.once("close", () => server.destroy());
  server.once("close", () => client.destroy());
  client.pipe(server);
  server.pipe(client);
  await Promise.all(closed);
}

function connected(server: Socket, client: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    server.setTimeout(CONNECT_TIMEOUT_MS, () => reject(new Error("no answer in time")));
    server.once("connect", resolve);
    server.once("error", reject);
    client.once("close", () => reject(new Error("the client has gone")));
  });
}
