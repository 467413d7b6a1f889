/** The servers of a peer on the platform that it runs on. */
import { bunFileRange, servePieces as servePiecesOnBun, serveUnix as serveUnixOnBun } from "./bun-server.ts";
import { denoNames } from "./deno-names.ts";
import { denoFileRange, servePiecesOnDeno, serveUnixOnDeno } from "./deno-server.ts";
import type { PeerServers } from "./peer-servers.ts";

export const { fileRange, servePieces, serveUnix }: PeerServers =
  denoNames === undefined
    ? { fileRange: bunFileRange, servePieces: servePiecesOnBun, serveUnix: serveUnixOnBun }
    : { fileRange: denoFileRange, servePieces: servePiecesOnDeno, serveUnix: serveUnixOnDeno };
