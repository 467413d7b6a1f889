/** `file_name`: the key of a model archive in the bucket, whose last part is its name in the model store. */
import { ProblemError } from "../../schema/problem.ts";

/** Of a file's name, on all file systems that matter. */
const MAX_NAME_BYTES = 255;
/** Of an object's key in S3 and the stores that are like it. */
const MAX_KEY_BYTES = 1024;

/** Name of the archive in the model store. @throws ProblemError `bad-request` for a key that may leave the store, or be
 *  hidden in it */
export function archiveNameOf(key: string): string {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (key === "") throw refused("is empty", "Name the object with file_name=NAME.mar");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw refused(`is longer than ${MAX_KEY_BYTES} bytes`, "Use a shorter key");
  if (/\p{Cc}/u.test(key)) throw refused("holds control characters", "Leave them out");
  if (key.startsWith("/"))
    throw refused("is an absolute path", "Name the object by its key, without a slash before it");
  if (key.includes("\\")) throw refused("holds a backslash", "Part folders by slashes");
  if (parts.some((part) => part === ".." || part === "."))
    throw refused("holds . or .. as a folder", "Name the object by its key");
  if (name === "") throw refused("names a folder", "Name one archive in it");
  if (name.startsWith("."))
    throw refused("names a hidden file", "Give the archive a name that does not begin with a dot");
  if (name.includes("..")) throw refused("ends in a name with two dots in a row", "TorchServe takes no such name");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw refused(`ends in a name of more than ${MAX_NAME_BYTES} bytes`, "Use a shorter one");
  return name;
}

function refused(what: string, remedy: string): ProblemError {
  return new ProblemError("bad-request", `file_name ${what}. ${remedy}`);
}
