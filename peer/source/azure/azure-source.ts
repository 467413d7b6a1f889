/** Blobs of Azure Storage: `as://account/container/key`, and `abs://container/key` where the account is known. */
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import type { StoreOptions } from "../../../schema/wire/store-options.ts";
import { callerHeaders } from "../caller-headers.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import type { Folder } from "../folder.ts";
import { readRange } from "../read-range.ts";
import type { OpenSourceOptions, Source } from "../source.ts";
import { sourceProblem } from "../source-problem.ts";
import { statSource } from "../stat-source.ts";
import { TokenCache } from "../token-cache.ts";
import { type AzureAccess, type AzureAccessComponents, findAzureAccess } from "./azure-access.ts";
import {
  type AzureAddress,
  azureBlobUrl,
  azureDisplayUrl,
  azureLocation,
  azureUrl,
  parseAzureUrl,
} from "./azure-address.ts";
import { AzureFolder } from "./azure-folder.ts";
import { blobReadSas } from "./azure-signature.ts";
import { AzureTransport } from "./azure-transport.ts";
import { MarkerMemory } from "./marker-memory.ts";

/** How long a seed may read with the rights it is handed: long enough for the largest file on a slow link. */
const PORTABLE_RIGHT_MS = 12 * 3_600_000;

export function azureDriver(components: DriverComponents): SourceDriver {
  const own = { ...components, tokens: new TokenCache(components.io.nowMs) };
  const markers = new MarkerMemory();
  return {
    schemes: ["as", "abs"],
    open: (request, options) => openAzureSource(request, own, options),
    openFolder: (request, options) => openAzureFolder(request, own, markers, options),
  };
}

/** @throws ProblemError `bad-request` or `source-forbidden`, see `parseAzureUrl` and `findAzureAccess`. */
async function openAzureSource(
  request: SourceRequest,
  components: AzureAccessComponents,
  { guard }: OpenSourceOptions = {},
): Promise<Source> {
  const address = parseAzureUrl(request.url);
  const displayUrl = azureDisplayUrl(address);
  if (address.key === "") {
    throw sourceProblem("bad-request", displayUrl, "names a container but no blob in it", "Add the name of the blob");
  }
  const access = await findAzureAccess(request.store ?? {}, address, components);
  const { io } = components;
  const headers = callerHeaders(request.headers);
  const url = azureBlobUrl(address, access.base);
  const transport = new AzureTransport({ url, displayUrl, access, headers, io, guard });
  const store = await portableOptions(address, access, io.nowMs());
  return {
    location: azureLocation(address, access.base),
    displayUrl,
    portableRequest: { ...request, url: azureUrl(address, address.key), store },
    stat: (signal) => statSource(transport, io, signal),
    read: (range, options) => readRange(transport, io, range, options),
  };
}

async function openAzureFolder(
  request: SourceRequest,
  components: AzureAccessComponents,
  markers: MarkerMemory,
  { guard }: OpenSourceOptions = {},
): Promise<Folder> {
  const address = parseAzureUrl(request.url);
  const access = await findAzureAccess(request.store ?? {}, address, components);
  const { io } = components;
  return new AzureFolder({ request, address, access, headers: callerHeaders(request.headers), io, guard, markers });
}

/** The right to read this blob and no other, where the key of the account can give it. */
async function portableOptions(
  { container, key: blob }: AzureAddress,
  { account, base, credential }: AzureAccess,
  nowMs: number,
): Promise<StoreOptions> {
  const place = { endpoint: base.href, accountName: account };
  switch (credential.kind) {
    case "anonymous":
      return { ...place, anonymous: true };
    case "key": {
      const rights = { account, key: credential.key };
      return { ...place, anonymous: false, sasToken: blobReadSas(rights, container, blob, nowMs + PORTABLE_RIGHT_MS) };
    }
    case "sas":
      return { ...place, anonymous: false, sasToken: credential.query };
    case "token":
      return { ...place, anonymous: false, accessToken: await credential.token() };
  }
}
