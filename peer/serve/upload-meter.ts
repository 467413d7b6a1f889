import type { HostId, TaskId } from "../../schema/ids.ts";
import { REFUSAL_REASONS } from "../../schema/wire/local.ts";
import { keepLatest } from "../core/keep-latest.ts";
import { DEFAULT_UPLOAD_POLICY } from "../core/policy.ts";
import { UnderWay } from "../core/under-way.ts";
import { type UploadRefusal, UploadShares } from "../core/upload-shares.ts";
import { slotRetryMs } from "../core/upload-slots.ts";
import { RecentPace } from "../transfer/recent-pace.ts";
import { createCounts } from "../transfer/troubles.ts";
import { GrantedBytes } from "./granted-bytes.ts";

/** More tasks than are served at the same time. */
const MAX_REMEMBERED = 1024;

/** What the server of a piece port knows of the requests it answers. */
export interface RequestWatch {
  /** Requests it has not finished answering, to the last byte. */
  readonly pending: () => number;
  /** Whether this is one of them. */
  readonly isPending: (request: Request) => boolean;
}

/** A child asks for content. */
export interface ContentAsked {
  readonly child: HostId;
  readonly request: Request;
  readonly bytes: number;
  /** What it asked before and has not got, as it says itself; `undefined` when it says nothing. */
  readonly claimedBytes: number | undefined;
}

/** A request for content that was let in, or not. */
export interface UploadAnswer {
  readonly refusal: UploadRefusal | undefined;
  /** When to ask again, if it was not. */
  readonly retryInMs: number;
}

/** Counts what this host serves, and says to whom it serves more. When the kernel copies a file to a socket nobody tells us that it is done, so the slots
 *  are counted from the outside: requests the server has not finished answering, less those that are no uploads, or what children say
 *  is still on its way to them, if that is more (Bun has answered once 256 KiB are left, and the system holds as much: docs/decisions/0022). */
export class UploadMeter {
  /** Pieces served at the same time; what is under way when it is lowered goes on. */
  maxUploads: number;
  #watch: RequestWatch = { pending: () => 0, isPending: () => false };
  readonly #granted = new GrantedBytes((request) => this.#watch.isPending(request));
  readonly #underWay = new UnderWay(DEFAULT_UPLOAD_POLICY);
  #others = 0;
  #servedBytes = 0;
  readonly #pace = new RecentPace();
  readonly #shares = new UploadShares(DEFAULT_UPLOAD_POLICY);
  /** Requests that were not served, by why. */
  readonly refused = createCounts(REFUSAL_REASONS);
  /** When a child was last granted something, latest grant last. */
  readonly #childAtMs = new Map<HostId, number>();
  /** When content of a task was last granted, latest grant last. */
  readonly #grantedAtMs = new Map<TaskId, number>();

  constructor(maxUploads: number) {
    this.maxUploads = maxUploads;
  }

  /** Before this nothing counts as active, and there is always a slot. */
  watch(watch: RequestWatch): void {
    this.#watch = watch;
  }

  /** Content requests being answered now. */
  get active(): number {
    return Math.max(0, this.#watch.pending() - this.#others);
  }

  /** Pieces on their way to children now. */
  busySlots(nowMs: number): number {
    return Math.max(this.active, this.#underWay.count(nowMs));
  }

  /** Bytes of content granted to children. A child that breaks off is counted for all it asked, unless it was paced. */
  get servedBytes(): number {
    return this.#servedBytes;
  }

  /** Hosts that were granted something in the last 10 s. */
  childCount(nowMs: number): number {
    let count = 0;
    for (const atMs of this.#childAtMs.values()) if (nowMs - atMs < DEFAULT_UPLOAD_POLICY.childMs) count++;
    return count;
  }

  /** The request is among the active ones already. */
  ask({ child, request, bytes, claimedBytes }: ContentAsked, nowMs: number): UploadAnswer {
    const slots = this.maxUploads;
    const retryInMs = slotRetryMs(slots, this.#pace.perSecond(nowMs), DEFAULT_UPLOAD_POLICY);
    if (claimedBytes !== undefined) this.#underWay.heard(child, claimedBytes, nowMs);
    const busySlots = Math.max(this.active - 1, this.#underWay.count(nowMs));
    const outstandingBytes = Math.max(claimedBytes ?? 0, this.#granted.outstanding(child));
    const asked = { child, bytes, outstandingBytes, slots, busySlots, retryMs: retryInMs };
    const refusal = this.#shares.ask(asked, nowMs);
    if (refusal === undefined) {
      this.#granted.add(child, request, bytes);
      this.#underWay.granted(child, bytes, nowMs);
      this.#pace.note(nowMs);
      keepLatest(this.#childAtMs, child, nowMs, MAX_REMEMBERED);
    }
    return { refusal, retryInMs };
  }

  /** A range of a task is granted to a child. */
  countServed(taskId: TaskId, bytes: number, nowMs: number): void {
    this.#servedBytes += bytes;
    keepLatest(this.#grantedAtMs, taskId, nowMs, MAX_REMEMBERED);
  }

  /** Whether content of the task may still be on its way. */
  isSending(taskId: TaskId, nowMs: number): boolean {
    if (this.active === 0) this.#grantedAtMs.clear();
    const grantedAtMs = this.#grantedAtMs.get(taskId);
    return grantedAtMs !== undefined && nowMs - grantedAtMs < DEFAULT_UPLOAD_POLICY.longestUploadMs;
  }

  /** Answers a request that takes no upload slot. */
  async outsideSlots(answer: () => Promise<Response>): Promise<Response> {
    this.#others++;
    try {
      return await answer();
    } finally {
      this.#others--;
    }
  }
}
