/** The reply of a server on its way to the client: as it is, hop-by-hop headers apart. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { endToEnd, flatHeaders, type HeaderList, headerListOf, headerValue, withoutHeaders } from "./header-list.ts";

export interface RelayOptions {
  /** What names this proxy in `Via`. */
  readonly via: string;
  /** It should have come from a task: the client is told whose the error is. */
  readonly namesErrors: boolean;
  /** Called when all of the reply has been read. */
  readonly done: () => void;
}

/** Resolves when it has gone, or was broken off. */
export async function relayReply(
  reply: IncomingMessage,
  outgoing: ServerResponse,
  { via, namesErrors, done }: RelayOptions,
): Promise<void> {
  const said = endToEnd(headerListOf(reply.rawHeaders));
  // Trailers come with chunks alone, which HTTP/1.0 does not know, and which a length takes the place of.
  const takesTrailers = outgoing.req.httpVersion !== "1.0" && headerValue(said, "content-length") === undefined;
  const kept = takesTrailers ? said : withoutHeaders(said, (name) => name === "trailer");
  const headers: HeaderList = [...kept, ["Via", `1.1 ${via}`]];
  const isError = (reply.statusCode ?? 0) >= 400;
  const named: HeaderList = namesErrors && isError ? [...headers, ["X-Dragonfly-Error-Type", "backend"]] : headers;
  outgoing.sendDate = false;
  outgoing.writeHead(reply.statusCode ?? 502, reply.statusMessage, flatHeaders(named));
  // Head and body go in one packet when the body is there already.
  setImmediate(() => {
    if (!outgoing.destroyed) outgoing.flushHeaders();
  });
  await new Promise<void>((resolve) => {
    outgoing.once("close", resolve);
    const broken = () => {
      // A part must not be taken for the whole.
      outgoing.destroy();
      resolve();
    };
    reply.once("aborted", broken);
    reply.once("error", broken);
    reply.once("end", () => {
      done();
      if (takesTrailers && reply.rawTrailers.length > 0) outgoing.addTrailers(headerListOf(reply.rawTrailers));
      outgoing.end();
      resolve();
    });
    reply.pipe(outgoing, { end: false });
  });
}
