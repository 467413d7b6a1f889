/** Where a peer is on its machine: what a command must know of the settings of a peer to find it. */
import type { SettingsTable } from "../../schema/settings.ts";
import { pathSetting, SHARED_SETTINGS } from "../../schema/shared-settings.ts";

export const PLACE_SETTINGS = {
  dataDir: {
    schema: pathSetting.optional(),
    value: "FOLDER",
    help: "where pieces, the host's identity and the socket are kept",
    remedy: "Name a folder this user can write",
    defaultText: "$XDG_DATA_HOME/pantala, else ~/.local/share/pantala",
  },
  socket: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "unix socket of the local API",
    remedy: "Name a file in a folder only this user can write",
    defaultText: "DATA_DIR/peer.sock",
    aliases: ["endpoint"],
  },
  config: SHARED_SETTINGS.config,
} as const satisfies SettingsTable;
