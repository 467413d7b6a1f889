/** Where a container of Azure Blob Storage is, and with which credentials it is read. */
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { Environment } from "../driver.ts";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import {
  firstOption,
  noCredentials,
  parseEndpoint,
  refuseOtherOptions,
  type StoreLayer,
  storeLayers,
} from "../store-layers.ts";
import type { StoreRule } from "../store-rule.ts";
import { ruleFor } from "../store-rule.ts";
import type { TokenCache } from "../token-cache.ts";
import {
  type AzureAddress,
  accountOfEndpoint,
  azureBase,
  azureDisplayUrl,
  azureUrl,
  defaultAzureEndpoint,
} from "./azure-address.ts";
import { azureEnvironment, ofAccount } from "./azure-environment.ts";
import { azureIdentity } from "./azure-identity.ts";

export type AzureCredential =
  | { readonly kind: "anonymous" }
  | { readonly kind: "key"; readonly key: string }
  /** Without `?`. */
  | { readonly kind: "sas"; readonly query: string }
  | { readonly kind: "token"; readonly token: () => Promise<string> };

export interface AzureAccess {
  readonly account: string;
  /** Base of the URLs of all containers. */
  readonly base: URL;
  readonly credential: AzureCredential;
}

export interface AzureAccessComponents {
  readonly env: Environment;
  readonly rules: () => readonly StoreRule[];
  readonly io: SourceIo;
  readonly tokens: TokenCache;
}

const OPTIONS = ["endpoint", "accountName", "accountKey", "sasToken", "accessToken", "anonymous"] as const;

/** @throws ProblemError `source-forbidden` when there are no credentials, `bad-request` for an account nobody names, a
 *  broken endpoint, or options of other stores. */
export async function findAzureAccess(
  given: StoreOptions,
  address: AzureAddress,
  components: AzureAccessComponents,
): Promise<AzureAccess> {
  const displayUrl = azureDisplayUrl(address);
  const { env, rules, io, tokens } = components;
  const { sasToken = given.sasToken, endpoint = given.endpoint } = address;
  const asked: StoreOptions = { ...given, sasToken, endpoint };
  const rule = ruleFor(azureUrl(address, address.key), asked, rules());
  refuseOtherOptions([asked, rule], OPTIONS, displayUrl);
  const environment = azureEnvironment(env);
  const named = [asked.accountName, rule?.accountName, address.account, environment.options.accountName]
    .find(Boolean)
    ?.toLowerCase();
  const defaultEndpoint = named === undefined ? undefined : defaultAzureEndpoint(named);
  const ofEnvironment = ofAccount(environment, named);
  const layers = storeLayers({ asked, rule, environment: ofEnvironment, defaultEndpoint });

  const chosen = firstOption(layers, "endpoint");
  const parsed = chosen === undefined ? undefined : parseEndpoint(chosen, displayUrl);
  const account = named ?? (parsed === undefined ? undefined : accountOfEndpoint(parsed));
  if (account === undefined) throw noAccount(displayUrl);
  const access = { account, base: azureBase(parsed, account) };

  const credential = credentialIn(layers);
  if (credential !== undefined) return { ...access, credential };
  const identity = layers.includes(ofEnvironment) ? azureIdentity(env) : undefined;
  if (identity === undefined) throw noCredentials(layers, displayUrl, REMEDY);
  const token = () => tokens.get(identity.id, (signal) => identity.fetchToken(io, displayUrl, signal));
  // Now, and not at the first request: whoever passes the rights on needs it.
  await token();
  return { ...access, credential: { kind: "token", token } };
}

function credentialIn(layers: readonly StoreLayer[]): AzureCredential | undefined {
  const insists = layers[0]?.options.anonymous === false;
  for (const { options } of layers) {
    if (options.anonymous === true && !insists) return { kind: "anonymous" };
    const { accountKey, sasToken, accessToken } = options;
    if (accountKey) return { kind: "key", key: accountKey };
    if (sasToken) return { kind: "sas", query: sasToken.replace(/^\?/, "") };
    if (accessToken) return { kind: "token", token: async () => accessToken };
  }
  return undefined;
}

const REMEDY =
  "Give the key of the account, a shared access signature or a token (AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or the configuration of the peer), or read it without credentials if it is public (pantala get --storage-anonymous, or anonymous in that configuration)";

function noAccount(displayUrl: string) {
  return sourceProblem(
    "bad-request",
    displayUrl,
    "nobody says which storage account it is in",
    "Write as://account/container/key, or set AZURE_STORAGE_ACCOUNT",
  );
}
