/** One host of a herd gets the file, and tells how far it is. */
import { jsonLines } from "../../peer/cli/json-lines.ts";
import { type GetEvent, getEventSchema } from "../../schema/wire/local.ts";
import type { RunningPeer } from "../../tests/fixtures/cluster.ts";

/** How much of the file is verified and on disk. */
export interface Mark {
  /** Since the start of the herd. */
  readonly ms: number;
  readonly bytes: number;
}

export interface HerdGet {
  /** From the start of the herd until the last byte was verified and on disk. */
  readonly endMs: number;
  readonly path: string;
  readonly taskId: string;
  readonly sourceBytes: number;
}

export interface HerdGetOptions {
  readonly source: { readonly url: string; readonly tag: string };
  readonly sinceStartMs: () => number;
  /** Called a few times a second. */
  readonly mark: (mark: Mark) => void;
  readonly signal: AbortSignal;
}

/** @throws Error when the peer fails */
export async function herdGet(
  peer: RunningPeer,
  { source, sinceStartMs, mark, signal }: HerdGetOptions,
): Promise<HerdGet> {
  const response = await fetch("http://peer/v1/get", {
    unix: peer.socket,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ source }),
    signal,
  });
  if (response.body === null) throw new Error(`${peer.name} answered without a body`);
  mark({ ms: sinceStartMs(), bytes: 0 });
  let taskId = "";
  let last: GetEvent | undefined;
  for await (const line of jsonLines(response.body)) {
    last = getEventSchema.parse(line);
    if (last.type === "opened") taskId = last.taskId;
    if (last.type !== "progress" && last.type !== "ready") continue;
    const { sourceBytes, peerBytes, localBytes } = last;
    const ms = sinceStartMs();
    mark({ ms, bytes: sourceBytes + peerBytes + localBytes });
    if (last.type === "ready") return { endMs: ms, path: last.path, taskId, sourceBytes };
  }
  throw new Error(`${peer.name} could not get ${source.url}: ${JSON.stringify(last)}`);
}
