/** Makes the path of a unix socket free for us, without taking it from a process that lives. */
import { chmodSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { ProblemError } from "../../schema/problem.ts";

/** `sun_path` less its closing zero. */
const MAX_PATH_BYTES = 107;

export interface ClaimedPath {
  /** Runs `listen`, which creates the socket; no other user can open it at any moment. */
  bind<Server>(listen: () => Server): Server;
}

/** Removes the socket a dead process left there. Two processes that claim one path at the same moment are not kept
 *  apart here: the lock of the store does that.
 *  @throws ProblemError `bad-request` when the path is too long or another kind of file, `in-use` when it is served. */
export async function claimSocketPath(path: string): Promise<ClaimedPath> {
  const lengthBytes = new TextEncoder().encode(path).length;
  if (lengthBytes > MAX_PATH_BYTES) {
    throw new ProblemError(
      "bad-request",
      `The socket path ${path} has ${lengthBytes} bytes and may have ${MAX_PATH_BYTES}: name a shorter one (--socket or PANTALA_SOCKET)`,
    );
  }
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isSocket()) {
    throw new ProblemError(
      "bad-request",
      `${path} exists and is no socket: move it away, or name another path (--socket or PANTALA_SOCKET)`,
    );
  }
  if (found !== undefined) {
    if (await isServed(path)) {
      throw new ProblemError(
        "in-use",
        `Another process serves ${path}: stop it, or give this one another data folder (--data-dir) or socket (--socket)`,
      );
    }
    await unlink(path);
  }
  return {
    bind(listen) {
      // Only while the socket is made, and only narrowing: what others create meanwhile stays usable to us.
      const before = process.umask(0o077);
      try {
        const server = listen();
        chmodSync(path, 0o600);
        return server;
      } finally {
        process.umask(before);
      }
    },
  };
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Any other error, such as that of a socket of another user, says nothing about who listens.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
