/** Status and headers of a reply that a task gives in place of its source. */
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../../schema/byte-range.ts";
import type { SourceStat } from "../source/source.ts";
import { conditionOf, rangeOf } from "./conditional.ts";
import { flatHeaders, type HeaderList } from "./header-list.ts";
import { ProxyRefusal } from "./proxy-refusal.ts";
import { lengthHeaders, notModifiedHeaders, type OwnHeaders, sharedHeaders } from "./reply-headers.ts";

export interface TaskReply {
  readonly method: "GET" | "HEAD";
  /** Of the request. */
  readonly headers: HeaderList;
  readonly stat: SourceStat;
  readonly own: OwnHeaders;
}

/** Sends status and headers. Gives the bytes that are to follow; none follow a 304.
 *  @throws ProxyRefusal 412, 416 */
export function beginReply({ method, headers, stat, own }: TaskReply, outgoing: ServerResponse): ByteRange | undefined {
  const { sizeBytes } = stat;
  const shared = sharedHeaders(stat, own);
  const condition = conditionOf(headers, stat);
  if (condition === "failed") {
    throw new ProxyRefusal(412, "proxy", "The content is not the one that the conditions of the request name");
  }
  if (condition === "not-modified") {
    sendHead(304, notModifiedHeaders(shared), outgoing);
    return undefined;
  }
  const asked = method === "HEAD" ? { kind: "none" as const } : rangeOf(headers, stat);
  if (asked.kind === "unsatisfiable") {
    throw new ProxyRefusal(416, "proxy", `The content has ${sizeBytes} bytes: the range lies outside`, {
      headers: { "Content-Range": `bytes */${sizeBytes}` },
    });
  }
  const range = asked.kind === "range" ? asked.range : undefined;
  sendHead(range === undefined ? 200 : 206, [...shared, ...lengthHeaders(sizeBytes, range)], outgoing);
  return range ?? { start: 0, end: sizeBytes };
}

function sendHead(status: number, headers: HeaderList, outgoing: ServerResponse): void {
  outgoing.sendDate = !headers.some(([name]) => name.toLowerCase() === "date");
  outgoing.writeHead(status, flatHeaders(headers));
  outgoing.flushHeaders();
}
