/** What other peers ask of this host over HTTP: see "Peer to peer" in docs/protocol.md. Every piece passes here, so there
 *  is no framework between. */
import { parseTaskId, type TaskId } from "../../schema/ids.ts";
import type { PieceRun } from "../../schema/wire/peer-message.ts";
import type { PieceStore, StoredTask } from "../store/piece-store.ts";
import { BitfieldRoute } from "./bitfield-route.ts";
import { type ContentRoute, serveContent } from "./content-route.ts";
import { serveDigests } from "./digests-route.ts";
import { problemResponse } from "./problem-response.ts";
import { type Pull, PullRoute } from "./pull-route.ts";
import { RefusedError } from "./refused-error.ts";
import { TicketCheck } from "./ticket-check.ts";
import type { UploadMeter } from "./upload-meter.ts";

export interface PieceAppComponents extends ContentRoute {
  readonly store: PieceStore;
  /** See `schema/ticket.ts`. */
  readonly ticketKey: CryptoKey;
  /** A child asks this host to take part as a seed; `undefined` when this host is no seed. */
  readonly pull: Pull | undefined;
  /** What this host reads of a task from its source just now. */
  readonly reading: (taskId: TaskId) => readonly PieceRun[];
}

export interface PieceApp {
  /** Rejects only for a bug of ours. */
  fetch(request: Request): Promise<Response>;
  /** For the server, which tells it what is being sent. */
  readonly uploads: UploadMeter;
  /** Answers everyone who waits for news, so that the server can stop. */
  close(): void;
}

const ROUTE = /^\/v1\/tasks\/([^/]{1,128})\/(content|bitfield|digests|pull)$/;
const METHODS: Record<string, readonly string[]> = {
  content: ["GET", "HEAD"],
  bitfield: ["GET"],
  digests: ["GET"],
  pull: ["POST"],
  healthz: ["GET", "HEAD"],
};

export function createPieceApp(components: PieceAppComponents): PieceApp {
  const { store, uploads } = components;
  const tickets = new TicketCheck(components.ticketKey, components.nowMs);
  const bitfields = new BitfieldRoute();
  const pulls = new PullRoute(components.pull);

  async function answer(request: Request): Promise<Response> {
    const url = urlOf(request);
    const [, id = "", what = ""] = ROUTE.exec(url.pathname) ?? [];
    const route = url.pathname === "/healthz" ? "healthz" : what;
    const methods = METHODS[route];
    if (methods === undefined)
      throw new RefusedError("bad-request", "not-found", "There is nothing here: see docs/protocol.md, Peer to peer");
    if (!methods.includes(request.method)) {
      const allow = { allow: methods.join(", ") };
      throw new RefusedError("bad-request", "method-not-allowed", `Use ${methods.join(" or ")} here`, allow);
    }
    if (route === "healthz") return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });

    const taskId = parseTaskId(id);
    if (taskId === undefined)
      throw new RefusedError("bad-request", "bad-request", "A task id is 64 lower-case hex digits");
    if (route === "content") {
      const child = await tickets.childOf(request, taskId);
      return serveContent(request, storedTask(store, taskId), child, components);
    }
    return uploads.outsideSlots(async () => {
      const child = await tickets.childOf(request, taskId);
      if (route === "pull") return pulls.serve(request, taskId, child);
      const task = storedTask(store, taskId);
      if (route === "digests") return serveDigests(url.searchParams, task);
      return bitfields.serve(request, url.searchParams, task, () => components.reading(taskId));
    });
  }

  return {
    uploads,
    async fetch(request) {
      try {
        return await answer(request);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        uploads.refused[error.reason]++;
        return problemResponse(error.toProblem(), error.headers);
      }
    },
    close: () => bitfields.close(),
  };
}

/** @throws RefusedError `task-not-found` */
function storedTask(store: PieceStore, taskId: TaskId): StoredTask {
  const task = store.get(taskId);
  if (task !== undefined) return task;
  const message = `Task ${taskId} is not stored on this host: ask another parent`;
  throw new RefusedError("unknown-task", "task-not-found", message);
}

/** @throws RefusedError `bad-request`; a hostile `Host` header can make the URL unreadable. */
function urlOf(request: Request): URL {
  const url = URL.parse(request.url);
  if (url === null) throw new RefusedError("bad-request", "bad-request", "The request target is no valid URL");
  return url;
}
