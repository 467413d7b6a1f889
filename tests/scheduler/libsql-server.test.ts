import { describe, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { directoryConformance } from "../../edge/store/directory.conformance.ts";
import { aHost } from "../../edge/store/fixtures.ts";
import { libsqlDirectory, type ServerWatch } from "../../edge/store/libsql.ts";
import { sqlConformance } from "../../edge/store/sql.conformance.ts";
import { isProblemError, type ProblemError } from "../../schema/problem.ts";
import type { Page, TaskSummary } from "../../schema/wire/query.ts";
import { bearer, refusal } from "./ask.ts";
import { startBunHome } from "./bun-home.ts";
import { someTask } from "./facts.ts";
import { startHranaServer } from "./hrana-server.ts";
import { announceOf } from "./reading.ts";
import { TestHost } from "./test-host.ts";

const authToken = "a-token-of-the-database";
/** The scheduler of these tests is given none. */
const NO_TOKEN = undefined;
const runner = { describe, expect, test };

directoryConformance(
  "libSQL server",
  async () => {
    const server = startHranaServer(authToken);
    const directory = await libsqlDirectory({ kind: "server", url: server.url, authToken });
    const close = async () => {
      await directory.close();
      server[Symbol.dispose]();
    };
    return { ...directory, close };
  },
  runner,
);

describe("libSQL server, its engine", () => {
  const servers = new DisposableStack();
  sqlConformance(
    "libSQL server",
    async () => drizzle(createClient({ url: servers.use(startHranaServer(authToken)).url, authToken })),
    runner,
  );
  test("and its servers are gone afterwards", () => servers.dispose());
});

type Line = readonly [level: string, event: string, fields: Record<string, unknown>];

/** Fast enough for a test, and what was told. */
function watching() {
  const lines: Line[] = [];
  const heard = new Map<string, PromiseWithResolvers<void>>();
  const lost = Promise.withResolvers<ProblemError>();
  const promised = (event: string) => {
    const found = heard.get(event) ?? Promise.withResolvers<void>();
    heard.set(event, found);
    return found;
  };
  const watch: ServerWatch = {
    renewEveryMs: 20,
    staleAfterMs: 500,
    log: (...line) => {
      lines.push(line);
      promised(line[1]).resolve();
    },
    onLost: lost.resolve,
  };
  return { watch, lines, lost: lost.promise, event: (name: string) => promised(name).promise };
}

async function problemOf(failing: Promise<unknown>): Promise<ProblemError> {
  const error = await failing.then(
    () => new Error("Nothing failed"),
    (thrown: unknown) => thrown,
  );
  if (!isProblemError(error)) throw error;
  return error;
}

describe("libsqlDirectory() on a server", () => {
  const wrong = (url: string, token?: string) => problemOf(libsqlDirectory({ kind: "server", url, authToken: token }));

  test("finds what was applied before", async () => {
    using server = startHranaServer(authToken);
    const place = { kind: "server", url: server.url, authToken } as const;
    const first = await libsqlDirectory(place);
    await first.apply([{ kind: "put-host", host: aHost(1) }]);
    await first.close();
    const second = await libsqlDirectory(place);
    expect(await second.hosts()).toEqual([aHost(1)]);
    await second.close();
  });

  test("says which setting to mend when the token is wrong or absent, and shows no token", async () => {
    using server = startHranaServer(authToken);
    for (const token of ["wrong-s3cr3t", undefined]) {
      const { code, message } = await wrong(server.url, token);
      expect(code).toBe("database-unreachable");
      expect(message).toMatch(
        /^The database server at 127\.0\.0\.1:\d+ refuses the token.* --database-auth-token or PANTALA_/,
      );
      expect(message).not.toContain("s3cr3t");
    }
  });

  test("says so when what answers is no database", async () => {
    const answers = [
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      () => new Response("not here", { status: 404 }),
      () => Response.json({ hello: "world" }),
      () => new Response("{", { headers: { "content-type": "application/json" } }),
    ];
    for (const fetch of answers) {
      const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
      const { code, message } = await wrong(server.url.origin, authToken);
      expect([code, message]).toEqual([
        "database-unreachable",
        expect.stringMatching(
          /^What answers at 127\.0\.0\.1:\d+ is no libSQL database \(.*\): name one with --database$/,
        ),
      ]);
      await server.stop(true);
    }
  });

  test("says why it is out of reach", async () => {
    const gateway = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("bad", { status: 502 }) });
    expect((await wrong(gateway.url.origin)).message).toContain("cannot be reached: it answers HTTP 502. Start");
    expect((await wrong(gateway.url.origin.replace("http", "https"))).message).toContain("it speaks no TLS there");
    const { host } = gateway.url;
    await gateway.stop(true);
    expect((await wrong(`http://${host}`)).message).toContain("nothing listens there");
    expect((await wrong(`ws://${host}`)).message).toContain("the connection failed");
    expect((await wrong("http://no-such-host.invalid")).message).toContain("there is no host of that name");
  });

  test("tells an outage once, fails all it is asked meanwhile, and goes on when the server is back", async () => {
    using server = startHranaServer(authToken);
    const { watch, lines, event } = watching();
    const directory = await libsqlDirectory({ kind: "server", url: server.url, authToken }, watch);
    await directory.apply([{ kind: "put-host", host: aHost(1) }]);
    await server.stop();
    const refused = [
      directory.hosts(),
      directory.apply([{ kind: "put-host", host: aHost(2) }]),
      directory.countTasks(),
    ];
    for (const { code } of await Promise.all(refused.map(problemOf))) expect(code).toBe("database-unreachable");
    expect((await problemOf(directory.runningTasks())).message).toContain("cannot be reached: ");
    server.resume();
    await event("database.reached");
    expect(await directory.hosts()).toEqual([aHost(1)]);
    expect(lines.map(([level, name]) => [level, name])).toEqual([
      ["warn", "database.unreachable"],
      ["info", "database.reached"],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/select|insert/i);
    await directory.close();
  });

  test("leaves a fault of the statement what it is", async () => {
    using server = startHranaServer(authToken);
    const { watch, lines } = watching();
    const directory = await libsqlDirectory({ kind: "server", url: server.url, authToken }, watch);
    const client = createClient({ url: server.url, authToken });
    await client.execute("drop table hosts");
    await expect(directory.hosts()).rejects.toThrow("Failed query");
    expect([await directory.countTasks(), lines]).toEqual([0, []]);
    await directory.close();
  });
});

describe("two schedulers on one database server", () => {
  test("the second is refused as long as the first is there, and welcome at once when it has stopped", async () => {
    using server = startHranaServer(authToken);
    const place = { kind: "server", url: server.url, authToken } as const;
    const first = await libsqlDirectory(place, watching().watch);
    const { code, message } = await problemOf(libsqlDirectory(place, watching().watch));
    expect([code, message]).toEqual(["in-use", expect.stringContaining("another scheduler is using it")]);
    await first.close();
    const third = watching();
    await (await libsqlDirectory(place, third.watch)).close();
    expect(third.lines).toEqual([]);
  });

  test("the claim of one that was killed is waited out", async () => {
    using server = startHranaServer(authToken);
    const place = { kind: "server", url: server.url, authToken } as const;
    const killed = await libsqlDirectory(place, { renewEveryMs: 3_600_000 });
    const next = watching();
    const directory = await libsqlDirectory(place, next.watch);
    expect(next.lines.map(([, event]) => event)).toEqual(["database.in-use"]);
    expect(await directory.hosts()).toEqual([]);
    await directory.close();
    await killed.close();
  });

  test("one that slept while another took over hears so, and writes no more", async () => {
    using server = startHranaServer(authToken);
    const place = { kind: "server", url: server.url, authToken } as const;
    const { watch, lost, event } = watching();
    const sleeper = await libsqlDirectory(place, watch);
    await server.stop();
    await event("database.unreachable");
    server.resume();
    const client = createClient({ url: server.url, authToken });
    await client.execute("update claim set owner = 'another'");
    expect((await lost).code).toBe("in-use");
    const late = sleeper.apply([{ kind: "put-host", host: aHost(1) }]);
    expect((await problemOf(late)).code).toBe("in-use");
    await sleeper.close();
    expect((await client.execute("select owner from claim")).rows[0]?.owner).toBe("another");
  });
});

describe("bun run edge with a database server", () => {
  test("answers 503 while the database is down, logs that in one line without SQL, and goes on afterwards", async () => {
    using server = startHranaServer(NO_TOKEN);
    await using home = await startBunHome({ shards: 1, database: server.url });
    const host = await TestHost.join(home, 0);
    host.send(announceOf(someTask(home, 0, { pieceCount: 1 })));
    await host.next("task");
    await server.stop();
    for (let asked = 0; asked < 3; asked++) {
      const response = await home.fetch("/v1/tasks", { headers: bearer(home.token) });
      expect(await refusal(response)).toEqual({ status: 503, code: "database-unreachable" });
      host.send(announceOf(someTask(home, 0, { pieceCount: 1 })));
      await host.next("task");
    }
    expect(home.log.match(/level=warn/g)).toEqual(["level=warn"]);
    expect(home.log).toMatch(/event=database\.unreachable error="The scheduler's database at /);
    server.resume();
    // What was decided meanwhile is written by and by.
    for (let stored = 0; stored < 4; await Bun.sleep(50)) {
      const response = await home.fetch("/v1/tasks", { headers: bearer(home.token) });
      if (response.status === 200) stored = ((await response.json()) as Page<TaskSummary>).items.length;
    }
    expect(home.log).toContain("event=database.reached");
    expect(home.log).not.toMatch(/insert into|select /i);
    host.close();
  }, 20_000);

  test("keeps a second one off, and starts again after kill -9", async () => {
    using server = startHranaServer(NO_TOKEN);
    await using home = await startBunHome({ shards: 1, database: server.url });
    await expect(startBunHome({ shards: 1, database: server.url })).rejects.toThrow("another scheduler is using it");
    await home.restart();
    expect((await home.fetch("/healthz")).status).toBe(200);
  }, 40_000);
});
