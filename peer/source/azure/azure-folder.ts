/** A container of Azure Blob Storage, or what in it begins alike. */
import { ProblemError } from "../../../schema/problem.ts";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import { askText } from "../ask-text.ts";
import { compareKeys } from "../compare-keys.ts";
import { foldedName } from "../folded-name.ts";
import type { Folder, ListPage, ListQuery } from "../folder.ts";
import type { OpenSourceOptions } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import { sourceProblem } from "../source-problem.ts";
import type { AzureAccess } from "./azure-access.ts";
import { type AzureAddress, azureContainerUrl, azureDisplayUrl, azureUrl, parseAzureUrl } from "./azure-address.ts";
import { AzureTransport } from "./azure-transport.ts";
import { type ListBlobsReply, parseListBlobsReply } from "./list-blobs-reply.ts";
import type { ListingId, MarkerMemory } from "./marker-memory.ts";

export interface AzureFolderOptions {
  readonly request: SourceRequest;
  readonly address: AzureAddress;
  readonly access: AzureAccess;
  readonly headers: Headers;
  readonly io: SourceIo;
  readonly guard: OpenSourceOptions["guard"];
  /** Shared by all listings of this process. */
  readonly markers: MarkerMemory;
}

const MAX_KEYS = 1000;
/** 1,000 names of 1,024 characters, each as up to three bytes, the properties of each blob, about 1 KiB, and its metadata, at
 *  most 8 KiB. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

interface AskedPage {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly maxKeys: number;
  readonly marker: string | undefined;
}

export class AzureFolder implements Folder {
  readonly bucket: string;
  readonly prefix: string;
  readonly displayUrl: string;
  readonly #options: AzureFolderOptions;

  constructor(options: AzureFolderOptions) {
    this.#options = options;
    this.bucket = options.address.container;
    this.prefix = options.address.key;
    this.displayUrl = azureDisplayUrl(options.address);
  }

  async list(query: ListQuery, signal: AbortSignal): Promise<ListPage> {
    const { prefix = this.prefix, delimiter, after, maxKeys = MAX_KEYS } = query;
    if (!prefix.startsWith(this.prefix)) {
      throw new ProblemError(
        "bad-request",
        `${this.displayUrl}: a listing outside of this prefix was asked for. Open the other one`,
      );
    }
    const asked = { prefix, delimiter, maxKeys: Math.max(1, Math.min(MAX_KEYS, maxKeys)) };
    const listing: ListingId = [
      azureContainerUrl(this.#options.address, this.#options.access.base).href,
      prefix,
      delimiter,
    ];
    const goOn = (page: ListPage) => this.#remembered(page, listing);
    if (after !== undefined && "token" in after)
      return goOn(pageOf(await this.#ask({ ...asked, marker: after.token }, signal)));
    // Azure goes on behind its own markers alone: another name is found from the start of the listing.
    let marker = after === undefined ? undefined : this.#options.markers.after(listing, after.name);
    for (;;) {
      const reply = await this.#ask({ ...asked, marker }, signal);
      const page = pageOf(
        after === undefined ? reply : behind(reply, after.name, foldedName({ ...query, prefix }) !== undefined),
      );
      if (page.objects.length + page.prefixes.length > 0 || reply.nextMarker === undefined) return goOn(page);
      marker = reply.nextMarker;
    }
  }

  #remembered(page: ListPage, listing: ListingId): ListPage {
    const { objects, prefixes, next } = page;
    const lastName = [objects.at(-1)?.key ?? "", prefixes.at(-1) ?? ""].toSorted(compareKeys).at(-1) ?? "";
    if (next !== undefined && "token" in next && lastName !== "")
      this.#options.markers.remember(listing, lastName, next.token);
    return page;
  }

  objectRequest(key: string): SourceRequest {
    const { request, address } = this.#options;
    const url = azureUrl(address, key);
    if (parseAzureUrl(url).sasToken !== undefined) {
      throw new ProblemError(
        "bad-request",
        `${this.displayUrl}: the end of a key in it looks like a signature. Copy the blob to another name`,
      );
    }
    return { ...request, url: address.sasToken === undefined ? url : `${url}?${address.sasToken}` };
  }

  async #ask({ prefix, delimiter, maxKeys, marker }: AskedPage, signal: AbortSignal): Promise<ListBlobsReply> {
    const { address, access, io } = this.#options;
    const url = azureContainerUrl(address, access.base);
    url.search = new URLSearchParams({
      restype: "container",
      comp: "list",
      maxresults: String(maxKeys),
      // It tells folders from files.
      include: "metadata",
      ...(prefix === "" ? {} : { prefix }),
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(marker === undefined ? {} : { marker }),
    }).toString();
    const transport = new AzureTransport({ ...this.#options, url, displayUrl: this.displayUrl });
    const { text } = await askText(
      {
        displayUrl: this.displayUrl,
        forbiddenRemedy: transport.forbiddenRemedy,
        limitBytes: MAX_REPLY_BYTES,
        send: (attempt) => transport.send({ method: "GET", signal: attempt }),
      },
      io,
      signal,
    );
    const reply = await parseListBlobsReply(text, prefix);
    if (reply !== undefined) return reply;
    throw sourceProblem(
      "source-lied",
      this.displayUrl,
      "the source answered a listing that makes no sense",
      "Check that the endpoint is that of a storage account, and no console or proxy before it",
    );
  }
}

function pageOf({ objects, prefixes, nextMarker }: ListBlobsReply): ListPage {
  return {
    objects: objects.toSorted((a, b) => compareKeys(a.key, b.key)),
    prefixes: prefixes.toSorted(compareKeys),
    ...(nextMarker === undefined ? {} : { next: { token: nextMarker } }),
  };
}

/** What comes after a name, and is not under it when it is a common prefix. */
function behind(reply: ListBlobsReply, name: string, isPrefix: boolean): ListBlobsReply {
  const isBehind = (key: string) => compareKeys(key, name) > 0 && !(isPrefix && key.startsWith(name));
  return {
    ...reply,
    objects: reply.objects.filter(({ key }) => isBehind(key)),
    prefixes: reply.prefixes.filter(isBehind),
  };
}
