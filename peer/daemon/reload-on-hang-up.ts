import type { Log } from "../../schema/log.ts";
import type { LiveSettings } from "./live-settings.ts";

/** Reads the settings again whenever this process gets SIGHUP, until it is disposed of. */
export function reloadOnHangUp(live: LiveSettings, log: Log): Disposable {
  const reload = () => {
    live.reload().catch((error: unknown) => log("warn", "settings.refused", { error: String(error) }));
  };
  process.on("SIGHUP", reload);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", reload) };
}
