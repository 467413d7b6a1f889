/** `as://account/container/key` and `abs://container/key`, and where on the web that is. Everything after the container
 *  is the key, taken literally; only a shared access signature at the end (`?sv=...&sig=...`) is not part of it. */
import { ProblemError } from "../../../schema/problem.ts";
import { displayText } from "../../../schema/source-location.ts";
import { encodeKey } from "../bucket/bucket-address.ts";

export interface AzureAddress {
  readonly scheme: "as" | "abs";
  /** As the URL has it. `abs://` leaves it to the options. */
  readonly host: string | undefined;
  /** In lower case. */
  readonly account: string | undefined;
  /** When the URL names the whole host of the account. */
  readonly endpoint: string | undefined;
  readonly container: string;
  /** Empty: the container. */
  readonly key: string;
  /** Without `?`; a secret. */
  readonly sasToken: string | undefined;
}

const ACCOUNT = /^[a-z0-9][a-z0-9-]{0,62}$/i;
const ACCOUNT_HOST = /^[a-z0-9][a-z0-9.-]{0,250}$/i;
const CONTAINER = /^(?:[a-z0-9][a-z0-9-]{0,62}|\$root|\$web|\$logs)$/i;
const FORMS = { as: "as://account/container/key", abs: "abs://container/key" } as const;

/** @throws ProblemError `bad-request` for what names no container, or a key that HTTP clients cannot ask for. */
export function parseAzureUrl(text: string): AzureAddress {
  const match = /^(as|abs):\/\/(.*)$/is.exec(text);
  const scheme = match?.[1]?.toLowerCase() === "abs" ? "abs" : "as";
  const signed = /\?((?:[^?]*&)?sig=[^?]*)$/i.exec(match?.[2] ?? "");
  const path = (match?.[2] ?? "").slice(0, signed?.index);
  const parts = /^(?:([^/]*)\/)?([^/]*)\/?(.*)$/s;
  const [, account, container = "", key = ""] =
    scheme === "as"
      ? (parts.exec(path) ?? [])
      : [undefined, undefined, ...(/^([^/]*)\/?(.*)$/s.exec(path) ?? []).slice(1)];
  if (scheme === "as" && !isAccount(account)) throw broken(scheme, "names no storage account");
  if (!CONTAINER.test(container)) throw broken(scheme, "names no container");
  if (!key.isWellFormed()) throw broken(scheme, "holds half a character (a lone surrogate)");
  // Every HTTP client resolves these before it sends the path, also when they are percent-encoded.
  if (key.split("/").some((part) => part === "." || part === "..")) {
    throw broken(scheme, "has a key with a . or .. segment, which cannot be asked for over HTTP");
  }
  return { scheme, ...hostOf(account), container, key, sasToken: signed?.[1] };
}

function isAccount(text: string | undefined): boolean {
  return text !== undefined && (ACCOUNT.test(text) || ACCOUNT_HOST.test(text));
}

function hostOf(host: string | undefined): Pick<AzureAddress, "host" | "account" | "endpoint"> {
  const name = host?.toLowerCase();
  if (name?.includes(".") !== true) return { host, account: name, endpoint: undefined };
  return { host, account: name.slice(0, name.indexOf(".")), endpoint: `https://${name}` };
}

/** Base of the URLs of all containers: `https://account.blob.core.windows.net`; of an emulator, whose host is an address,
 *  with the account as its path. */
export function azureBase(endpoint: URL | undefined, account: string): URL {
  if (endpoint === undefined) return new URL(defaultAzureEndpoint(account));
  const isBare = endpoint.pathname === "/" && /^(?:localhost|[\d.]+|\[.*\])$/.test(endpoint.hostname);
  return isBare ? new URL(`/${account}`, endpoint) : endpoint;
}

export function defaultAzureEndpoint(account: string): string {
  return `https://${account}.blob.core.windows.net`;
}

/** The account that an endpoint names: the first label of its host, or of an emulator its path. */
export function accountOfEndpoint(endpoint: URL): string | undefined {
  const inPath = /^\/([^/]+)\/?$/.exec(endpoint.pathname)?.[1];
  const inHost = /^([a-z0-9-]+)\.blob\./i.exec(endpoint.hostname)?.[1];
  return inPath ?? inHost;
}

export function azureContainerUrl({ container }: AzureAddress, base: URL): URL {
  return new URL(`${base.protocol}//${base.host}${prefixOf(base)}/${container}`);
}

export function azureBlobUrl(address: AzureAddress, base: URL): URL {
  return new URL(`${azureContainerUrl(address, base).href}/${encodeKey(address.key)}`);
}

/** Canonical location: store, container and key, however the URL was written. */
export function azureLocation(address: AzureAddress, base: URL): string {
  return `as://${base.host}${prefixOf(base)}/${address.container}/${encodeKey(address.key)}`;
}

/** The URL without its signature. */
export function azureUrl({ scheme, host, container }: AzureAddress, key: string): string {
  return `${scheme}://${host === undefined ? "" : `${host}/`}${container}/${key}`;
}

export function azureDisplayUrl(address: AzureAddress): string {
  return displayText(azureUrl(address, address.key));
}

function prefixOf(base: URL): string {
  return base.pathname.replace(/\/+$/, "");
}

function broken(scheme: keyof typeof FORMS, what: string): ProblemError {
  return new ProblemError("bad-request", `The ${scheme}:// URL ${what}. Write ${FORMS[scheme]}`);
}
