/** The least a BitTorrent tracker does: tells everybody of everybody (BEP 3 and 23). Arguments: address, port. */
import { bencoded } from "./torrent.ts";

const [hostname = "127.0.0.1", port = "0"] = process.argv.slice(2);
/** By torrent, as its id stands in the query. */
const swarms = new Map<string, Set<string>>();

Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    const { search, searchParams } = new URL(request.url);
    const torrent = /[?&]info_hash=([^&]*)/.exec(search)?.[1];
    const peerPort = Number(searchParams.get("port"));
    const from = server.requestIP(request)?.address;
    if (torrent === undefined || from === undefined) return new Response(countOfAll());
    const swarm = swarms.get(torrent) ?? new Set();
    swarms.set(torrent, swarm);
    swarm.add(`${from}:${peerPort}`);
    return new Response(Uint8Array.from(bencoded({ interval: 2, "min interval": 1, peers: compact(swarm) })));
  },
});

/** For whoever asks for nothing: how many take part. */
function countOfAll(): string {
  return String([...swarms.values()].reduce((sum, swarm) => sum + swarm.size, 0));
}

function compact(swarm: ReadonlySet<string>): Uint8Array {
  const bytes = [...swarm].flatMap((peer) => {
    const [address = "", port = "0"] = peer.split(":");
    return [...address.split(".").map(Number), Number(port) >> 8, Number(port) & 255];
  });
  return Uint8Array.from(bytes);
}
