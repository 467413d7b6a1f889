/** Tokens of Microsoft Entra for Azure Storage: of a workload (a federated token in a file, or a client secret), and of
 *  the managed identity of the machine. */
import { readFile } from "node:fs/promises";
import type { Environment } from "../driver.ts";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import type { BearerToken } from "../token-cache.ts";
import { requestToken } from "../token-request.ts";

const RESOURCE = "https://storage.azure.com/";
const DEFAULT_AUTHORITY = "https://login.microsoftonline.com/";
const METADATA_SERVICE = "http://169.254.169.254";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** One way to a token. */
export interface AzureIdentity {
  /** Tells it from others. */
  readonly id: string;
  fetchToken(io: SourceIo, displayUrl: string, signal: AbortSignal): Promise<BearerToken>;
}

/** `undefined` when the environment names none. The machine's identity must be asked for by AZURE_STORAGE_AUTH_TYPE: on
 *  machines outside of Azure nobody answers there. */
export function azureIdentity(env: Environment): AzureIdentity | undefined {
  const { AZURE_TENANT_ID: tenant = "", AZURE_CLIENT_ID: client = "" } = env;
  const { AZURE_FEDERATED_TOKEN_FILE: tokenFile = "", AZURE_CLIENT_SECRET: secret = "" } = env;
  const type = env.AZURE_STORAGE_AUTH_TYPE?.toLowerCase();
  if (type === "managed_identity") return managedIdentity(env);
  if (tenant !== "" && client !== "" && (tokenFile !== "" || secret !== "")) {
    const authority = env.AZURE_AUTHORITY_HOST || DEFAULT_AUTHORITY;
    return application({ authority, tenant, client, tokenFile, secret });
  }
  return type === "default" ? managedIdentity(env) : undefined;
}

interface Application {
  readonly authority: string;
  readonly tenant: string;
  readonly client: string;
  readonly tokenFile: string;
  readonly secret: string;
}

function application({ authority, tenant, client, tokenFile, secret }: Application): AzureIdentity {
  const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority.replace(/\/*$/, "/"));
  return {
    id: `application ${url.href} ${client}`,
    fetchToken: async (io, displayUrl, signal) => {
      const proof =
        tokenFile === ""
          ? { client_secret: secret }
          : { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertionIn(tokenFile, displayUrl) };
      const form = { grant_type: "client_credentials", client_id: client, scope: `${RESOURCE}.default`, ...proof };
      const remedy = "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET";
      return await requestToken(io, { url, form, authority: "Microsoft Entra", displayUrl, remedy }, signal);
    },
  };
}

function managedIdentity(env: Environment): AzureIdentity {
  const client = env.AZURE_STORAGE_CLIENT_ID || env.AZURE_CLIENT_ID || "";
  const host = env.AZURE_POD_IDENTITY_AUTHORITY_HOST || METADATA_SERVICE;
  const url = new URL("/metadata/identity/oauth2/token", host);
  url.search = new URLSearchParams({
    "api-version": "2018-02-01",
    resource: RESOURCE,
    ...(client === "" ? {} : { client_id: client }),
  }).toString();
  const remedy = "Give this machine a managed identity, or other credentials and no AZURE_STORAGE_AUTH_TYPE";
  return {
    id: `machine ${client}`,
    fetchToken: (io, displayUrl, signal) =>
      requestToken(
        io,
        { url, headers: { metadata: "true" }, authority: "the metadata service of the machine", displayUrl, remedy },
        signal,
      ),
  };
}

async function assertionIn(file: string, displayUrl: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    const what = `the file of AZURE_FEDERATED_TOKEN_FILE cannot be read (${code})`;
    throw sourceProblem("source-forbidden", displayUrl, what, "Name a file that this user can read");
  }
}
