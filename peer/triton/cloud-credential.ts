/** `cloud_credential.json`, as Triton and Dragonfly's repository agent read it: keys by the beginning of a location. */
import { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import { textField } from "../../schema/wire/fields.ts";
import type { StoreOptions } from "../../schema/wire/store-options.ts";

/** An empty text is how these files say "not set". */
const optionalText = (most: number) =>
  textField(most)
    .transform((text) => (text === "" ? undefined : text))
    .optional();

const s3 = z
  .object({
    secret_key: optionalText(1024),
    key_id: optionalText(256),
    region: optionalText(64),
    session_token: optionalText(8192),
    profile: optionalText(256),
  })
  .refine((keys) => (keys.key_id === undefined) === (keys.secret_key === undefined), {
    message: "key_id and secret_key belong together",
  })
  // Keys go before a profile, as with Triton.
  .transform(({ key_id, secret_key, region, session_token, profile }) =>
    without({
      region,
      accessKeyId: key_id,
      secretAccessKey: secret_key,
      sessionToken: key_id === undefined ? undefined : session_token,
      profile: key_id === undefined ? profile : undefined,
    }),
  );

const as = z
  .object({ account_str: optionalText(64), account_key: optionalText(1024) })
  .transform(({ account_str, account_key }) => without({ accountName: account_str, accountKey: account_key }));

const gs = optionalText(4096).transform((serviceAccountFile) => without({ serviceAccountFile }));

function without(options: { readonly [Key in keyof StoreOptions]: StoreOptions[Key] | undefined }): StoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Sections of other stores are ignored, as Triton does. */
export const cloudCredentialSchema = z.object(
  {
    gs: z.record(z.string(), gs).optional(),
    s3: z.record(z.string(), s3).optional(),
    as: z.record(z.string(), as).optional(),
  },
  { error: "must be a mapping" },
);

export type CloudCredential = z.output<typeof cloudCredentialSchema>;

/** What the file says of a location: the entry with the longest beginning of it counts, and "" fits everything. A
 *  beginning ends at a slash, so that the keys of one bucket never go to another whose name begins like it.
 *  @returns nothing when the file does not speak of such stores
 *  @throws ProblemError `source-forbidden` when it does, but no entry fits */
export function credentialFor(location: string, file: CloudCredential): StoreOptions | undefined {
  const scheme = /^(gs|s3|as):/i.exec(location)?.[1]?.toLowerCase() as keyof CloudCredential | undefined;
  const entries = Object.entries<StoreOptions>((scheme === undefined ? undefined : file[scheme]) ?? {});
  if (entries.length === 0) return undefined;
  const fitting = entries.filter(([name]) => isBeginning(name, location));
  const best = fitting.toSorted(([a], [b]) => b.length - a.length)[0];
  if (best !== undefined) return best[1];
  const message = `The cloud credential file has no entry for ${location.slice(0, 1024)}: name a beginning of it there, or "" for all`;
  throw new ProblemError("source-forbidden", message);
}

function isBeginning(name: string, location: string): boolean {
  return name === "" || location === name || location.startsWith(name.endsWith("/") ? name : `${name}/`);
}
