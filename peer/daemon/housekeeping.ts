/** What is done about the store while nobody asks: eviction and scrubbing, as the settings say. */
import type { Log } from "../../schema/log.ts";
import type { PeerSettings } from "../config/peer-settings.ts";
import type { EvictionPolicy } from "../core/evict.ts";
import type { UploadMeter } from "../serve/upload-meter.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { Scrubber } from "../store/scrubber.ts";
import type { Transfers } from "../transfer/transfers.ts";
import type { ContentDigests } from "./content-digests.ts";
import { Janitor } from "./janitor.ts";

export interface HousekeepingComponents {
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

export type HousekeepingSettings = Pick<
  PeerSettings,
  "diskQuota" | "diskHigh" | "diskLow" | "taskTtl" | "scrubInterval"
>;

export class Housekeeping {
  /** Finds room for the store. */
  readonly janitor: Janitor;
  readonly #components: HousekeepingComponents;
  #settings: HousekeepingSettings;
  #scrubber: Scrubber | undefined;

  /** Begins at once. */
  constructor(settings: HousekeepingSettings, components: HousekeepingComponents) {
    const { store, folder, transfers, digests, uploads, nowMs, log } = components;
    this.#components = components;
    this.#settings = settings;
    this.janitor = new Janitor({
      store,
      folder,
      policy: () => evictionPolicyOf(this.#settings),
      remove: async (taskId, lastUsedAtMs) => {
        await transfers.remove(taskId, lastUsedAtMs);
        digests.forget(taskId);
      },
      sending: (taskId) => uploads.isSending(taskId, nowMs()),
      nowMs,
      log,
    });
    this.janitor.start();
    this.#scrub();
  }

  /** Goes on by other settings, at once. */
  set(settings: HousekeepingSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    void this.janitor.tidy();
    if (settings.scrubInterval === before.scrubInterval) return;
    this.#scrubber?.close();
    this.#scrub();
  }

  close(): void {
    this.janitor.close();
    this.#scrubber?.close();
  }

  #scrub(): void {
    const { store, transfers, nowMs, random, log } = this.#components;
    const { scrubInterval } = this.#settings;
    this.#scrubber =
      scrubInterval === 0
        ? undefined
        : new Scrubber({
            store,
            intervalMs: scrubInterval,
            nowMs,
            random,
            lost(taskId, pieces) {
              log("warn", "piece.rotten", { task: taskId, pieces });
              transfers.lost(taskId, pieces);
            },
            warn: (message) => log("warn", "store.warning", { message }),
          });
  }
}

function evictionPolicyOf(settings: HousekeepingSettings): EvictionPolicy {
  return {
    quotaBytes: settings.diskQuota ?? Number.POSITIVE_INFINITY,
    highShare: settings.diskHigh / 100,
    lowShare: settings.diskLow / 100,
    unusedTtlMs: settings.taskTtl === 0 ? Number.POSITIVE_INFINITY : settings.taskTtl,
  };
}
