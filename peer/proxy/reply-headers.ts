/** The headers of a reply that a task gives in place of its source. */
import { type ByteRange, formatContentRange } from "../../schema/byte-range.ts";
import type { SourceStat } from "../source/source.ts";
import { endToEnd, type HeaderList, withoutHeaders } from "./header-list.ts";

/** About the part the source was asked for, or of one reply of the source's. A digest of the part would break the read
 *  of the whole, and none is always right. */
const OF_THE_PART =
  /^(?:content-length|content-range|accept-ranges|content-md5|content-digest|digest|x-amz-checksum-.*|age)$/;

export interface OwnHeaders {
  readonly taskId: string;
  /** Whether all of it was here already. */
  readonly finished: boolean;
  /** Address of this host. */
  readonly serverAddress: string;
  readonly via: string;
}

/** What the source said of the content, and what we say of it. */
export function sharedHeaders(stat: SourceStat, own: OwnHeaders): HeaderList {
  const said: [string, string][] = [];
  // `Headers` keeps nothing of the spelling.
  for (const [name, value] of stat.reply ?? []) said.push([titleCase(name), value]);
  return [
    ...withoutHeaders(endToEnd(said), (name) => OF_THE_PART.test(name)),
    ["Accept-Ranges", "bytes"],
    ["Via", `1.1 ${own.via}`],
    ["X-Dragonfly-Task-ID", own.taskId],
    ["X-Dragonfly-Task-Download-Finished", String(own.finished)],
    ["X-Dragonfly-Server-IP", own.serverAddress],
  ];
}

/** Length and place of what follows. @param range absent for the whole */
export function lengthHeaders(sizeBytes: number, range: ByteRange | undefined): HeaderList {
  if (range === undefined) return [["Content-Length", String(sizeBytes)]];
  return [
    ["Content-Length", String(range.end - range.start)],
    ["Content-Range", formatContentRange(range, sizeBytes)],
  ];
}

/** What a 304 may say (RFC 9110, 15.4.5). */
export function notModifiedHeaders(headers: HeaderList): HeaderList {
  return withoutHeaders(headers, (name) => /^(?:content-(?!location$).*|accept-ranges)$/.test(name));
}

function titleCase(name: string): string {
  return name === "etag" ? "ETag" : name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}
