/** What this host is busy with, for its heartbeats. Rates are averages since the last reading. */
import type { HostLoad } from "../../schema/wire/host.ts";

export interface LoadReadings {
  /** Totals since the process started. */
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly activeUploads: number;
  readonly activeDownloads: number;
  readonly storedBytes: number;
  readonly freeBytes: number;
  readonly residentBytes: number;
}

export class LoadMeter {
  #read: () => LoadReadings;
  #nowMs: () => number;
  #last: { readonly atMs: number; readonly uploadedBytes: number; readonly downloadedBytes: number };

  constructor(read: () => LoadReadings, nowMs: () => number) {
    this.#read = read;
    this.#nowMs = nowMs;
    this.#last = { atMs: nowMs(), uploadedBytes: 0, downloadedBytes: 0 };
  }

  load(): HostLoad {
    const readings = this.#read();
    const atMs = this.#nowMs();
    const seconds = Math.max(0.001, (atMs - this.#last.atMs) / 1000);
    const rate = (total: number, before: number) => Math.max(0, Math.round((total - before) / seconds));
    const { activeUploads, activeDownloads, storedBytes, freeBytes, residentBytes } = readings;
    const load = {
      uploadBytesPerSecond: rate(readings.uploadedBytes, this.#last.uploadedBytes),
      downloadBytesPerSecond: rate(readings.downloadedBytes, this.#last.downloadedBytes),
    };
    this.#last = { atMs, uploadedBytes: readings.uploadedBytes, downloadedBytes: readings.downloadedBytes };
    return { activeUploads, activeDownloads, storedBytes, freeBytes, residentBytes, ...load };
  }
}
