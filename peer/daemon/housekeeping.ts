/** What is done about the store while nobody asks: eviction and scrubbing, as the settings say. */
import type { Log } from "../../schema/log.ts";
import type { PeerSettings } from "../config/peer-settings.ts";
import type { UploadMeter } from "../serve/upload-meter.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { Scrubber } from "../store/scrubber.ts";
import type { Transfers } from "../transfer/transfers.ts";
import type { ContentDigests } from "./content-digests.ts";
import { Janitor } from "./janitor.ts";

export interface HousekeepingComponents {
  readonly settings: Pick<PeerSettings, "diskQuota" | "diskHigh" | "diskLow" | "taskTtl" | "scrubInterval">;
  readonly store: PieceStore;
  /** Where the store lies, for messages. */
  readonly folder: string;
  readonly transfers: Transfers;
  readonly digests: ContentDigests;
  readonly uploads: UploadMeter;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** Begins at once. `janitor` finds room for the store. */
export function startHousekeeping(components: HousekeepingComponents): { readonly janitor: Janitor; close(): void } {
  const { settings, store, folder, transfers, digests, uploads, nowMs, random, log } = components;
  const janitor = new Janitor({
    store,
    folder,
    policy: {
      quotaBytes: settings.diskQuota ?? Number.POSITIVE_INFINITY,
      highShare: settings.diskHigh / 100,
      lowShare: settings.diskLow / 100,
      unusedTtlMs: settings.taskTtl === 0 ? Number.POSITIVE_INFINITY : settings.taskTtl,
    },
    remove: async (taskId, lastUsedAtMs) => {
      await transfers.remove(taskId, lastUsedAtMs);
      digests.forget(taskId);
    },
    sending: (taskId) => uploads.isSending(taskId, nowMs()),
    nowMs,
    log,
  });
  janitor.start();
  const scrubber =
    settings.scrubInterval === 0
      ? undefined
      : new Scrubber({
          store,
          intervalMs: settings.scrubInterval,
          nowMs,
          random,
          lost(taskId, pieces) {
            log("warn", "piece.rotten", { task: taskId, pieces });
            transfers.lost(taskId, pieces);
          },
          warn: (message) => log("warn", "store.warning", { message }),
        });
  return {
    janitor,
    close() {
      janitor.close();
      scrubber?.close();
    },
  };
}
