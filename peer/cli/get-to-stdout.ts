/** `pantala get URL -O -`: the content on standard output, in order, while the rest still comes. */
import { type Digest, formatDigest } from "../../schema/digest.ts";
import { ProblemError } from "../../schema/problem.ts";
import type { ContentRequest } from "../../schema/wire/local.ts";
import type { CliContext } from "./cli-context.ts";
import type { LocalClient } from "./local-client.ts";

/** How `-O` names standard output. */
export const STDOUT = "-";

/** A digest is known only when all has been written: whoever takes the content must look at the exit code.
 *  @throws ProblemError as `LocalClient.content`, and `digest-mismatch` */
export async function getToStdout(
  client: LocalClient,
  request: ContentRequest,
  digest: Digest | undefined,
  stdout: CliContext["stdout"],
): Promise<void> {
  const hasher = digest === undefined ? undefined : await newHasher(digest);
  for await (const chunk of client.content(request)) {
    hasher?.update(chunk);
    await new Promise<void>((resolve) => stdout.write(chunk, resolve));
  }
  if (digest === undefined || hasher === undefined) return;
  const actual = { algorithm: digest.algorithm, hex: hasher.digest("hex") };
  if (actual.hex === digest.hex) return;
  const message = `What was written has the digest ${formatDigest(actual)}, not ${formatDigest(digest)}: do not use it`;
  throw new ProblemError("digest-mismatch", message, {
    detail: { expected: formatDigest(digest), actual: formatDigest(actual) },
  });
}

async function newHasher({ algorithm }: Digest) {
  const { hasherOf } = await import("../store/hash.ts");
  return hasherOf(algorithm);
}
