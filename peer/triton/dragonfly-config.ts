/** `dragonfly_config.json` of Dragonfly's repository agent. */
import { z } from "zod";
import { filterField, headerField, proxyAddressField } from "../config/dragonfly-fields.ts";

/** Keys that are not named here are ignored, as the agent does. */
export const dragonflyConfigSchema = z.object(
  {
    proxy: z
      .union([z.literal(""), proxyAddressField], { error: "must be an address such as http://127.0.0.1:65001" })
      .optional(),
    header: headerField,
    filter: filterField.optional(),
  },
  { error: "must be a mapping" },
);

export type DragonflyConfig = z.output<typeof dragonflyConfigSchema>;
