import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { isProblemError } from "../../schema/problem.ts";
import { directoryConformance } from "./directory.conformance.ts";
import { aHost, aPack, aPeer, aTask, taskIdOf } from "./fixtures.ts";
import { libsqlDirectory } from "./libsql.ts";
import { migrate } from "./migrate.ts";
import { sqlConformance } from "./sql.conformance.ts";

directoryConformance("libSQL file", openTemporary, { describe, expect, test });
sqlConformance("libSQL", async () => drizzle(createClient({ url: ":memory:" })), { describe, expect, test });

describe("libsqlDirectory()", () => {
  test("gives back after reopening what was applied before", async () => {
    await inTemporaryFolder(async (folder) => {
      const place = { kind: "file", path: join(folder, "a b%20é.db") } as const;
      const first = await libsqlDirectory(place);
      await first.apply([
        { kind: "put-host", host: aHost(1) },
        { kind: "put-task", task: aTask(1) },
        { kind: "put-peers", pack: aPack(1, 0, [aPeer(1, 1)]) },
      ]);
      await first.close();
      const second = await libsqlDirectory(place);
      expect(await second.hosts()).toEqual([aHost(1)]);
      expect(await second.task(taskIdOf(1))).toEqual({
        task: aTask(1),
        packs: [aPack(1, 0, [aPeer(1, 1)])],
        digests: [],
      });
      await second.close();
    });
  });

  test("refuses a file that another scheduler has open, until that one closes it", async () => {
    await inTemporaryFolder(async (folder) => {
      const place = { kind: "file", path: join(folder, "scheduler.db") } as const;
      const first = await libsqlDirectory(place);
      expect(await messageOf(libsqlDirectory(place))).toContain("another scheduler is using it");
      await first.close();
      await (await libsqlDirectory(place)).close();
    });
  });

  test("says what is wrong with a file that is no database, and with a folder that is absent", async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "notes.db");
      await writeFile(path, "to do: water the plants\n".repeat(200));
      expect(await messageOf(libsqlDirectory({ kind: "file", path }))).toContain(`${path}: SQLITE_NOTADB`);
      const nowhere = join(folder, "none", "scheduler.db");
      expect(await messageOf(libsqlDirectory({ kind: "file", path: nowhere }))).toContain(nowhere);
    });
  });

  test("names the server that does not answer, and never its token", async () => {
    const server = { kind: "server", url: "http://127.0.0.1:1", authToken: "s3cr3t-t0ken" } as const;
    const message = await messageOf(libsqlDirectory(server));
    expect(message).toBe(
      "The scheduler's database at 127.0.0.1:1 cannot be reached: nothing listens there. Start the database server, or name another with --database",
    );
    expect(message).not.toContain("s3cr3t");
  });

  test("refuses a database with migrations this program does not know", async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "scheduler.db");
      await (await libsqlDirectory({ kind: "file", path })).close();
      const client = createClient({ url: `file:${path}` });
      await client.execute("insert into migrations (number, name) values (1000, '1000_from_the_future')");
      client.close();
      const message = await messageOf(libsqlDirectory({ kind: "file", path }));
      expect(message).toContain("newer than this program: it has migration 1000_from_the_future");
    });
  });
});

test("migrate() refuses a database whose first migrations are not ours", async () => {
  const db = drizzle(createClient({ url: ":memory:" }));
  await migrate(db, [{ name: "0000_theirs", statements: ["create table theirs (x)"] }]);
  expect(await messageOf(migrate(db))).toContain("was not written by Pantala");
});

async function openTemporary() {
  const folder = await mkdtemp(join(tmpdir(), "pantala-"));
  const directory = await libsqlDirectory({ kind: "file", path: join(folder, "scheduler.db") });
  const close = async () => {
    await directory.close();
    await rm(folder, { recursive: true });
  };
  return { ...directory, close };
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pantala-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function messageOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isProblemError(error)).toBe(true);
  return error instanceof Error ? error.message : "";
}
