/** The settings of a running peer, which can be read again: SIGHUP asks for that. */
import type { Log } from "../../schema/log.ts";
import { changedSettings } from "../config/changed-settings.ts";
import type { LoadedPeerSettings } from "../config/load-peer-settings.ts";
import type { PeerSettings } from "../config/peer-settings.ts";

export class LiveSettings {
  readonly #load: () => Promise<LoadedPeerSettings>;
  readonly #log: Log;
  readonly #followers: ((settings: PeerSettings) => void)[] = [];
  #current: PeerSettings;
  #underWay: Promise<void> | undefined;
  #asked = false;

  /** `load` reads from the same places, in the same order, as at the start. */
  constructor(settings: PeerSettings, load: () => Promise<LoadedPeerSettings>, log: Log) {
    this.#current = settings;
    this.#load = load;
    this.#log = log;
  }

  get current(): PeerSettings {
    return this.#current;
  }

  /** Calls `apply` whenever live settings changed. */
  follow(apply: (settings: PeerSettings) => void): void {
    this.#followers.push(apply);
  }

  /** Reads all settings again and takes those that are live. When any is faulty everything stays as it is. Asked for while
   *  it is under way, it is done once more. */
  async reload(): Promise<void> {
    this.#asked = true;
    this.#underWay ??= this.#whileAsked().finally(() => {
      this.#underWay = undefined;
    });
    await this.#underWay;
  }

  async #whileAsked(): Promise<void> {
    while (this.#asked) {
      this.#asked = false;
      this.#take(await this.#load());
    }
  }

  #take(loaded: LoadedPeerSettings): void {
    if (loaded.kind === "faults") {
      for (const { origin, value, problem, remedy } of loaded.faults) {
        this.#log("warn", "settings.fault", { origin, value, problem, remedy });
      }
      this.#log("warn", "settings.refused", {
        faults: loaded.faults.length,
        message: "The settings stay as they are: mend the faults and send SIGHUP again",
      });
      return;
    }
    for (const message of loaded.warnings) this.#log("warn", "settings.warning", { message });
    const { settings, live, pending } = changedSettings(this.#current, loaded.settings);
    this.#current = settings;
    if (live.length > 0) for (const apply of this.#followers) apply(settings);
    this.#log("info", "settings.reloaded", { changed: live.join(",") || "nothing" });
    if (pending.length > 0) {
      const message = "These changed too, and take effect when the peer is started again";
      this.#log("warn", "settings.pending", { settings: pending.join(","), message });
    }
  }
}
