/** The management key of a TorchServe that demands tokens (the default since 0.11). It lies in `key_file.json`, which
 *  TorchServe writes anew whenever a key changes, and expires an hour after. */
import { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import { describeFaults } from "../../schema/settings.ts";
import { readJsonFile } from "../config/json-file.ts";

const keyFileSchema = z.object({
  management: z.object({ key: z.string().min(1).max(1024), "expiration time": z.string().max(64) }),
  API: z.object({ key: z.string().min(1).max(1024) }),
});

type Keys = z.output<typeof keyFileSchema>;

/** Asks TorchServe for a new management key; it writes that into the file. */
export type RenewKey = (authorization: string) => Promise<void>;

export interface ManagementKeyOptions {
  readonly path: string;
  readonly nowMs: () => number;
  readonly renew: RenewKey;
}

export class ManagementKey {
  readonly #options: ManagementKeyOptions;
  #renewing: Promise<void> | undefined;

  constructor(options: ManagementKeyOptions) {
    this.#options = options;
  }

  /** Value of an `Authorization` header; read at every call, since keys change.
   *  @throws ProblemError `server-unreachable` when the file is absent or broken */
  async authorization(): Promise<string> {
    const keys = await this.#read();
    if (!this.#hasExpired(keys)) return `Bearer ${keys.management.key}`;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
    return `Bearer ${(await this.#read()).management.key}`;
  }

  /** Looks first: another caller may have renewed it since the file was read. */
  async #renew(): Promise<void> {
    const keys = await this.#read();
    if (this.#hasExpired(keys)) await this.#options.renew(`Bearer ${keys.API.key}`);
  }

  #hasExpired({ management }: Keys): boolean {
    return Date.parse(management["expiration time"]) <= this.#options.nowMs();
  }

  async #read(): Promise<Keys> {
    const { path } = this.#options;
    const read = await readJsonFile(path, keyFileSchema, "Name the file that this TorchServe wrote");
    if (read.kind === "value") return read.value;
    const why = read.kind === "faults" ? describeFaults("read TorchServe's keys", read.faults) : `There is no ${path}`;
    throw new ProblemError(
      "server-unreachable",
      `${why}. Name TorchServe's key_file.json with --key-file, and see that TorchServe runs`,
    );
  }
}
