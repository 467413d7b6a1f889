/** A libSQL server for tests: the part of Hrana 2 over HTTP that `@libsql/client` speaks, over SQLite in memory
 *  (github.com/tursodatabase/libsql, docs/HTTP_V2_SPEC.md). */
import { Database, type SQLQueryBindings } from "bun:sqlite";
import { z } from "zod";

const value = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  z.object({ type: z.literal("integer"), value: z.string() }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
  z.object({ type: z.literal("blob"), base64: z.string() }),
]);
const statement = z.object({
  sql: z.string().optional(),
  sql_id: z.number().optional(),
  args: z.array(value).default([]),
});
type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };
const condition: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({ type: z.enum(["ok", "error"]), step: z.number() }),
    z.object({ type: z.literal("not"), cond: condition }),
    z.object({ type: z.enum(["and", "or"]), conds: z.array(condition) }),
    z.object({ type: z.literal("is_autocommit") }),
  ]),
);
const request = z.discriminatedUnion("type", [
  z.object({ type: z.literal("execute"), stmt: statement }),
  z.object({
    type: z.literal("batch"),
    batch: z.object({ steps: z.array(z.object({ condition: condition.nullish(), stmt: statement })) }),
  }),
  z.object({ type: z.literal("store_sql"), sql_id: z.number(), sql: z.string() }),
  z.object({ type: z.literal("close_sql"), sql_id: z.number() }),
  z.object({ type: z.literal("close") }),
]);
const pipeline = z.object({ baton: z.null().optional(), requests: z.array(request) });

export interface HranaServer extends Disposable {
  readonly url: string;
  /** Goes down, with all connections; what is stored stays. */
  stop(): Promise<void>;
  /** Comes back at the same place. */
  resume(): void;
}

/** @param authToken what clients must show; `undefined` lets everybody in. */
export function startHranaServer(authToken: string | undefined): HranaServer {
  const db = new Database(":memory:", { safeIntegers: true });
  const answerTo = async (incoming: Request): Promise<Response> => {
    const { pathname } = new URL(incoming.url);
    const shown = incoming.headers.get("Authorization");
    if (authToken !== undefined && shown !== `Bearer ${authToken}`) return new Response("no", { status: 401 });
    if (pathname === "/v2") return new Response("ok");
    if (pathname !== "/v2/pipeline") return new Response("there is only v2 here", { status: 404 });
    const texts = new Map<number, string>();
    const results = pipeline.parse(await incoming.json()).requests.map((one) => answer(db, one, texts));
    return Response.json({ baton: null, base_url: null, results });
  };
  const serve = (port: number) => Bun.serve({ hostname: "127.0.0.1", port, fetch: answerTo });
  let server = serve(0);
  const { port, url } = server;
  return {
    url: url.origin,
    stop: () => server.stop(true),
    resume: () => {
      server = serve(Number(port));
    },
    [Symbol.dispose]: () => {
      void server.stop(true);
      db.close();
    },
  };
}

function answer(db: Database, one: z.infer<typeof request>, texts: Map<number, string>): unknown {
  try {
    return { type: "ok", response: { type: one.type, ...perform(db, one, texts) } };
  } catch (error) {
    return { type: "error", error: failure(error) };
  }
}

function perform(db: Database, one: z.infer<typeof request>, texts: Map<number, string>): object {
  switch (one.type) {
    case "execute":
      return { result: execute(db, one.stmt, texts) };
    case "store_sql":
      texts.set(one.sql_id, one.sql);
      return {};
    case "batch": {
      const results: unknown[] = [];
      const errors: unknown[] = [];
      for (const { condition: wanted, stmt } of one.batch.steps) {
        results.push(null);
        errors.push(null);
        if (wanted && !holds(db, wanted, results, errors)) continue;
        try {
          results[results.length - 1] = execute(db, stmt, texts);
        } catch (error) {
          errors[errors.length - 1] = failure(error);
        }
      }
      return { result: { step_results: results, step_errors: errors } };
    }
    default:
      return {};
  }
}

function holds(db: Database, wanted: Condition, results: unknown[], errors: unknown[]): boolean {
  switch (wanted.type) {
    case "ok":
      return results[wanted.step] !== null;
    case "error":
      return errors[wanted.step] !== null;
    case "not":
      return !holds(db, wanted.cond, results, errors);
    case "and":
      return wanted.conds.every((one) => holds(db, one, results, errors));
    case "or":
      return wanted.conds.some((one) => holds(db, one, results, errors));
    case "is_autocommit":
      return !db.inTransaction;
  }
}

function execute(db: Database, { sql, sql_id: id, args }: z.infer<typeof statement>, texts: Map<number, string>) {
  const text = sql ?? texts.get(id ?? -1);
  if (text === undefined) throw new Error("The text of the statement was never stored");
  using prepared = db.prepare(text);
  const rows = prepared.values(...args.map(bound));
  const cols = prepared.columnNames.map((name) => ({ name, decltype: null }));
  return {
    cols,
    rows: (rows ?? []).map((row) => row.map(shown)),
    affected_row_count: 0,
    last_insert_rowid: null,
  };
}

function bound(one: z.infer<typeof value>): SQLQueryBindings {
  switch (one.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(one.value);
    case "blob":
      return Uint8Array.fromBase64(one.base64);
    default:
      return one.value;
  }
}

function shown(one: unknown): z.infer<typeof value> {
  if (typeof one === "bigint") return { type: "integer", value: String(one) };
  if (typeof one === "number") return { type: "float", value: one };
  if (typeof one === "string") return { type: "text", value: one };
  if (one instanceof Uint8Array) return { type: "blob", base64: one.toBase64({ omitPadding: true }) };
  return { type: "null" };
}

function failure(error: unknown): { message: string; code: string | null } {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  return { message: error instanceof Error ? error.message : String(error), code };
}
