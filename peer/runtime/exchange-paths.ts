/** Lets two paths change places in one step, which neither `node:fs` nor Bun nor Deno can do: Linux's `renameat2`. */
import { denoNames } from "./deno-names.ts";

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const LIBRARY = "libc.so.6";

/** Takes paths that end in a zero, and gives 0 when they have changed places. */
type Exchange = (one: Uint8Array, other: Uint8Array) => number;

/** @returns false where the system or the file system cannot do that */
export async function exchangePaths(one: string, other: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  let libc: { readonly exchange: Exchange; close(): void };
  try {
    libc = await openLibc();
  } catch {
    // Another C library than glibc, or an old one.
    return false;
  }
  try {
    return libc.exchange(Buffer.from(`${one}\0`), Buffer.from(`${other}\0`)) === 0;
  } finally {
    libc.close();
  }
}

async function openLibc(): Promise<{ readonly exchange: Exchange; close(): void }> {
  if (denoNames !== undefined) {
    const { symbols, close } = denoNames.dlopen(LIBRARY, {
      renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
    });
    return { exchange: (one, other) => symbols.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE), close };
  }
  const { dlopen, ptr } = await import("bun:ffi");
  const { symbols, close } = dlopen(LIBRARY, {
    renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  });
  return {
    exchange: (one, other) => symbols.renameat2(AT_FDCWD, ptr(one), AT_FDCWD, ptr(other), RENAME_EXCHANGE),
    close,
  };
}
