/** Lets two paths change places in one step, which neither `node:fs` nor Bun can do: Linux's `renameat2`. */
import { dlopen, ptr } from "bun:ffi";

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/** @returns false where the system or the file system cannot do that */
export function exchangePaths(one: string, other: string): boolean {
  if (process.platform !== "linux") return false;
  let libc: ReturnType<typeof openLibc>;
  try {
    libc = openLibc();
  } catch {
    // Another C library than glibc, or an old one.
    return false;
  }
  const [first, second] = [Buffer.from(`${one}\0`), Buffer.from(`${other}\0`)];
  try {
    return libc.symbols.renameat2(AT_FDCWD, ptr(first), AT_FDCWD, ptr(second), RENAME_EXCHANGE) === 0;
  } finally {
    libc.close();
  }
}

function openLibc() {
  return dlopen("libc.so.6", { renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } });
}
