/** What the variables that Azure's own tools read say of a storage account. */
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import type { Environment } from "../driver.ts";
import type { StoreLayer } from "../store-layers.ts";

/** A connection string comes before the other variables, as in the `az` command. */
export function azureEnvironment(env: Environment): StoreLayer {
  const { AZURE_STORAGE_CONNECTION_STRING: connection = "" } = env;
  if (connection !== "") {
    return { name: "the environment (AZURE_STORAGE_CONNECTION_STRING)", options: fromConnectionString(connection) };
  }
  return {
    name: "the environment (AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN)",
    options: {
      accountName: env.AZURE_STORAGE_ACCOUNT,
      accountKey: env.AZURE_STORAGE_KEY,
      sasToken: env.AZURE_STORAGE_SAS_TOKEN,
    },
  };
}

/** The same, or nothing of it when it is about another account: a key of one is not meant for another. */
export function ofAccount(environment: StoreLayer, account: string | undefined): StoreLayer {
  const about = environment.options.accountName;
  const isMeant = account === undefined || !about || about.toLowerCase() === account.toLowerCase();
  return isMeant ? environment : { ...environment, options: {} };
}

/** `Name=value;Name=value`; what it does not hold is absent. */
export function fromConnectionString(text: string): StoreOptions {
  const fields = new Map<string, string>();
  for (const pair of text.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0) fields.set(pair.slice(0, at).trim().toLowerCase(), pair.slice(at + 1).trim());
  }
  const account = fields.get("accountname");
  const suffix = fields.get("endpointsuffix");
  const scheme = fields.get("defaultendpointsprotocol") ?? "https";
  const bySuffix = account === undefined || suffix === undefined ? undefined : `${scheme}://${account}.blob.${suffix}`;
  return {
    accountName: account,
    accountKey: fields.get("accountkey"),
    sasToken: fields.get("sharedaccesssignature"),
    endpoint: fields.get("blobendpoint") ?? bySuffix,
  };
}
