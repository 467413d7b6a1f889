import { customType } from "drizzle-orm/sqlite-core";

/** A BLOB column read as a plain `Uint8Array` on every engine: libSQL and Durable Objects give an `ArrayBuffer`, and
 *  drizzle's own buffer mode wraps it in node's `Buffer`. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | ArrayBuffer }>({
  dataType: () => "blob",
  fromDriver: (value) =>
    value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
});
