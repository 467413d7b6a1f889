/** Files of credentials that Google's own tools write and read: of a service account, and of a person who signed in. */
import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import type { BearerToken } from "../token-cache.ts";
import { requestToken } from "../token-request.ts";

const AUDIENCE = "https://storage.googleapis.com/";
const TOKEN_ENDPOINT = new URL("https://oauth2.googleapis.com/token");
const LIFE_SECONDS = 3600;
const MAX_FILE_BYTES = 64 * 1024;

const serviceAccountSchema = z.object({
  type: z.literal("service_account"),
  client_email: z.string().min(1).max(1024),
  private_key_id: z.string().max(1024).optional(),
  /** PEM, PKCS #8. */
  private_key: z.string().min(1),
});
export type ServiceAccount = z.infer<typeof serviceAccountSchema>;

const credentialSchema = z.discriminatedUnion("type", [
  serviceAccountSchema,
  z.object({
    type: z.literal("authorized_user"),
    client_id: z.string().min(1),
    client_secret: z.string().min(1),
    refresh_token: z.string().min(1),
  }),
]);
export type GoogleCredential = z.infer<typeof credentialSchema>;

/** @throws ProblemError `source-forbidden` when the file cannot be read or is of another kind; nothing of it is told */
export async function readGoogleCredential(file: string, displayUrl: string): Promise<GoogleCredential> {
  const failed = (what: string) =>
    sourceProblem(
      "source-forbidden",
      displayUrl,
      `the file of credentials ${file} ${what}`,
      "Name the JSON file of a service account, as gcloud iam service-accounts keys create writes it",
    );
  if (!isAbsolute(file)) throw failed("has no absolute path");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw failed(`cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "unknown"})`);
  }
  if (text.length > MAX_FILE_BYTES) throw failed("is too long to be one");
  const parsed = credentialSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw failed("is of neither a service account nor a person");
}

/** A token for Cloud Storage. One of a service account is signed here, without asking anybody.
 *  @throws ProblemError `source-forbidden`, `source-unreachable` */
export async function googleToken(
  credential: GoogleCredential,
  io: SourceIo,
  displayUrl: string,
  signal: AbortSignal,
): Promise<BearerToken> {
  if (credential.type === "service_account") return await selfSigned(credential, io.nowMs(), displayUrl);
  const { client_id, client_secret, refresh_token } = credential;
  const form = { grant_type: "refresh_token", client_id, client_secret, refresh_token };
  const remedy = "Sign in again: gcloud auth application-default login";
  return await requestToken(io, { url: TOKEN_ENDPOINT, form, authority: "Google", displayUrl, remedy }, signal);
}

async function selfSigned(account: ServiceAccount, nowMs: number, displayUrl: string): Promise<BearerToken> {
  const issuedAt = Math.floor(nowMs / 1000);
  const expiresAt = issuedAt + LIFE_SECONDS;
  const header = { alg: "RS256", typ: "JWT", ...(account.private_key_id && { kid: account.private_key_id }) };
  const claims = new SignJWT({})
    .setProtectedHeader(header)
    .setIssuer(account.client_email)
    .setSubject(account.client_email)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt);
  try {
    return { token: await claims.sign(await importPKCS8(account.private_key, "RS256")), expiresAtMs: expiresAt * 1000 };
  } catch {
    // The error may repeat the key.
    throw sourceProblem(
      "source-forbidden",
      displayUrl,
      `the key of the service account ${account.client_email} is broken`,
      "Make a new one",
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
