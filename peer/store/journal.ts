/** Appends records to a task's journal, in the order they were given; those that wait go out in one write. */
import { constants } from "node:fs";
import { syncDescriptor, writeFully } from "./file-io.ts";
import { encodeJournalRecord, JOURNAL_RECORD_BYTES, type JournalRecord } from "./journal-record.ts";
import type { OpenFiles } from "./open-files.ts";

const JOURNAL_FLAGS = constants.O_RDWR | constants.O_CREAT;

interface Waiting {
  readonly record: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Journal {
  readonly path: string;
  readonly #files: OpenFiles;
  #lengthBytes: number;
  #waiting: Waiting[] = [];
  #writing = false;

  /** `lengthBytes`: where the sound records of the file end. */
  constructor(path: string, files: OpenFiles, lengthBytes: number) {
    this.path = path;
    this.#files = files;
    this.#lengthBytes = lengthBytes;
  }

  /** Resolves when the record is in the file. After a failure it is not, and the next one takes its place, so that
   *  a half-written record never stands before whole ones. */
  append(record: JournalRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record: encodeJournalRecord(record), resolve, reject });
      if (!this.#writing) void this.#writeWaiting();
    });
  }

  async sync(): Promise<void> {
    await this.#files.use(this.path, JOURNAL_FLAGS, syncDescriptor);
  }

  async #writeWaiting(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const records = batch.map(({ record }) => record);
      try {
        await this.#files.use(this.path, JOURNAL_FLAGS, (descriptor) =>
          writeFully(descriptor, records, this.#lengthBytes),
        );
        this.#lengthBytes += records.length * JOURNAL_RECORD_BYTES;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }
}
