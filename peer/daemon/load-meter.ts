/** What this host is busy with, for its heartbeats and for people. Rates are averages over a second or more, whoever asks
 *  how often. */
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

const MIN_WINDOW_MS = 1000;

export class LoadMeter {
  #read: () => LoadReadings;
  #nowMs: () => number;
  #rates = { uploadBytesPerSecond: 0, downloadBytesPerSecond: 0 };
  #last: { readonly atMs: number; readonly uploadedBytes: number; readonly downloadedBytes: number };

  constructor(read: () => LoadReadings, nowMs: () => number) {
    this.#read = read;
    this.#nowMs = nowMs;
    this.#last = { atMs: nowMs(), uploadedBytes: 0, downloadedBytes: 0 };
  }

  load(): HostLoad {
    const readings = this.#read();
    const atMs = this.#nowMs();
    const elapsedMs = atMs - this.#last.atMs;
    if (elapsedMs >= MIN_WINDOW_MS) {
      const rate = (total: number, before: number) => Math.max(0, Math.round(((total - before) * 1000) / elapsedMs));
      this.#rates = {
        uploadBytesPerSecond: rate(readings.uploadedBytes, this.#last.uploadedBytes),
        downloadBytesPerSecond: rate(readings.downloadedBytes, this.#last.downloadedBytes),
      };
      this.#last = { atMs, uploadedBytes: readings.uploadedBytes, downloadedBytes: readings.downloadedBytes };
    }
    const { activeUploads, activeDownloads, storedBytes, freeBytes, residentBytes } = readings;
    return { activeUploads, activeDownloads, storedBytes, freeBytes, residentBytes, ...this.#rates };
  }
}
