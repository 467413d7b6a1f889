/** The local API about stores: lists folders, tells which stores are configured, and tries them. */
import { Hono } from "hono";
import { problemOf } from "../../schema/problem.ts";
import {
  type ConfiguredStore,
  type ListReply,
  listRequestSchema,
  storeCheckRequestSchema,
} from "../../schema/wire/local-stores.ts";
import type { Environment } from "../source/driver.ts";
import type { Folder, ListedObject } from "../source/folder.ts";
import type { Sources } from "../source/sources.ts";
import type { StoreRule } from "../source/store-rule.ts";
import { checkStore } from "./check-store.ts";
import { environmentStores } from "./environment-stores.ts";
import { limitBody, parseBody } from "./parse-body.ts";

export interface StoreRoutesComponents {
  readonly sources: Sources;
  /** Read at every request, since it can change. */
  readonly stores: () => readonly StoreRule[];
  readonly env: Environment;
}

export function storeRoutes({ sources, stores, env }: StoreRoutesComponents): Hono {
  const app = new Hono();
  app.post("/v1/list", limitBody, async (c) => {
    const { source, after } = await parseBody(listRequestSchema, c);
    const folder = await sources.openFolder(source);
    const prefix = folder.prefix === "" || folder.prefix.endsWith("/") ? folder.prefix : `${folder.prefix}/`;
    const page = await folder.list({ prefix, ...(after === undefined ? {} : { after }) }, c.req.raw.signal);
    const objects = page.objects.map((object) => listed(folder, object));
    const { next } = page;
    return c.json<ListReply>({ url: folder.displayUrl, prefix, objects, ...(next === undefined ? {} : { next }) });
  });
  app.get("/v1/stores", (c) => c.json({ items: [...stores().map(configuredStore), ...environmentStores(env)] }));
  app.post("/v1/stores/check", limitBody, async (c) => {
    const { source } = await parseBody(storeCheckRequestSchema, c);
    return c.json(await checkStore(sources, source, c.req.raw.signal));
  });
  return app;
}

function listed(folder: Folder, { key, sizeBytes, etag, lastModifiedMs }: ListedObject): ListReply["objects"][number] {
  const modified = lastModifiedMs === undefined ? null : `modified:${new Date(lastModifiedMs).toISOString()}`;
  return { key, sizeBytes, version: etag === undefined ? modified : `etag:${etag}`, url: urlOf(folder, key) };
}

/** A key that no URL can name is no reason to tell nothing of the others. */
function urlOf(folder: Folder, key: string): ListReply["objects"][number]["url"] {
  try {
    return folder.objectRequest(key).url;
  } catch (error) {
    return problemOf(error);
  }
}

function configuredStore(rule: StoreRule): ConfiguredStore {
  return {
    prefix: rule.prefix,
    endpoint: rule.endpoint ?? null,
    region: rule.region ?? null,
    credentials: credentialsText(rule),
  };
}

/** What kind of credentials a rule has; nothing of them. */
function credentialsText(rule: StoreRule): string {
  if (rule.anonymous === true) return "none (anonymous)";
  if (rule.accessKeyId) return rule.sessionToken ? "temporary access keys" : "access keys";
  if (rule.accountKey) return "key of the account";
  if (rule.sasToken) return "shared access signature";
  if (rule.accessToken) return "token";
  if (rule.serviceAccountFile) return `service account in ${rule.serviceAccountFile}`;
  if (rule.profile) return `profile ${rule.profile}`;
  return "from the environment";
}
