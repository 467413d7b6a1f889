/** A host as it describes itself. */
import { z } from "zod";
import { addressField, countField, hostIdField, labelField, millisecondsField, textField } from "./fields.ts";

export const HOST_ROLES = ["normal", "seed"] as const;
export type HostRole = (typeof HOST_ROLES)[number];

export const hostInfoSchema = z.object({
  hostId: hostIdField,
  hostname: textField(255),
  role: z.enum(HOST_ROLES),
  /** Where its piece port is reached by other peers. */
  address: addressField,
  /** Network site; peers prefer neighbours of their own. */
  idc: labelField.default(""),
  /** Path from wide to narrow, such as `eu/zone-b/rack-7`. */
  location: labelField.default(""),
  /** Version of the program. */
  version: labelField,
  /** Start of this process, epoch milliseconds: a later one is another life of the same host. */
  startedAtMs: millisecondsField,
});
export type HostInfo = z.infer<typeof hostInfoSchema>;

/** What a host is busy with; bytes per second are averages since the last heartbeat. */
export const hostLoadSchema = z.object({
  activeUploads: countField,
  activeDownloads: countField,
  uploadBytesPerSecond: countField,
  downloadBytesPerSecond: countField,
  /** Bytes of task content this host keeps. */
  storedBytes: countField,
  /** Free bytes on the file system of its store. */
  freeBytes: countField,
  residentBytes: countField,
});
export type HostLoad = z.infer<typeof hostLoadSchema>;
