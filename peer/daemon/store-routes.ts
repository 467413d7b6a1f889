/** The local API about stores: lists folders, tells which stores are configured, and tries them. */
import { Hono } from "hono";
import { withoutSecrets } from "../../schema/redact.ts";
import { type ConfiguredStore, listRequestSchema, storeCheckRequestSchema } from "../../schema/wire/local-stores.ts";
import type { Environment } from "../source/driver.ts";
import type { Sources } from "../source/sources.ts";
import type { StoreRule } from "../source/store-rule.ts";
import { checkStore } from "./check-store.ts";
import { environmentStores } from "./environment-stores.ts";
import { ListPages } from "./list-pages.ts";
import { limitBody, parseBody } from "./parse-body.ts";

export interface StoreRoutesComponents {
  readonly sources: Sources;
  /** Read at every request, since it can change. */
  readonly stores: () => readonly StoreRule[];
  readonly env: Environment;
}

export function storeRoutes({ sources, stores, env }: StoreRoutesComponents): Hono {
  const app = new Hono();
  const pages = new ListPages(sources);
  app.post("/v1/list", limitBody, async (c) => {
    const { source, after } = await parseBody(listRequestSchema, c);
    return c.json(await pages.page(source, after, c.req.raw.signal));
  });
  app.get("/v1/stores", (c) => c.json({ items: [...stores().map(configuredStore), ...environmentStores(env)] }));
  app.post("/v1/stores/check", limitBody, async (c) => {
    const { source } = await parseBody(storeCheckRequestSchema, c);
    return c.json(await checkStore(sources, source, c.req.raw.signal));
  });
  return app;
}

function configuredStore(rule: StoreRule): ConfiguredStore {
  return {
    // Both may hold what belongs elsewhere: a signature, a password.
    prefix: withoutSecrets(rule.prefix),
    endpoint: rule.endpoint === undefined ? null : withoutSecrets(rule.endpoint),
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
