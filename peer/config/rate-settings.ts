/** How fast a peer may be: rows of the table of settings. */
import { byteSize, type SettingsTable } from "../../schema/settings.ts";

/** With less, some of the streams that share it would be silent for so long that the other side takes them for dead. */
const MIN_RATE_BYTES = 64 * 1024;

/** Bytes a second. */
export const byteRate = byteSize.refine((bytes) => bytes >= MIN_RATE_BYTES, "must be at least 64KiB a second");

const mostBytes = (what: string) => ({
  schema: byteRate.optional(),
  value: "SIZE",
  help: `most bytes a second ${what}`,
  remedy: "Use a size such as 100MiB, or leave it out",
  defaultText: "unlimited",
  live: true,
});

export const RATE_SETTINGS = {
  uploadRate: mostBytes("sent to other peers"),
  taskUploadRate: mostBytes("of one task sent to other peers"),
  downloadRate: mostBytes("received from sources and other peers"),
  taskDownloadRate: mostBytes("of one task received from its source and other peers"),
  sourceRate: mostBytes("read from sources"),
  taskSourceRate: mostBytes("of one task read from its source"),
} as const satisfies SettingsTable;
