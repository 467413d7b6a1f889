import { describe, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { directoryConformance } from "../../edge/store/directory.conformance.ts";
import { aHost } from "../../edge/store/fixtures.ts";
import { libsqlDirectory } from "../../edge/store/libsql.ts";
import { sqlConformance } from "../../edge/store/sql.conformance.ts";
import { startHranaServer } from "./hrana-server.ts";

const authToken = "a-token-of-the-database";
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

test("libsqlDirectory() finds on a server what was applied before, and says when its token is wrong", async () => {
  using server = startHranaServer(authToken);
  const place = { kind: "server", url: server.url, authToken } as const;
  const first = await libsqlDirectory(place);
  await first.apply([{ kind: "put-host", host: aHost(1) }]);
  await first.close();
  const second = await libsqlDirectory(place);
  expect(await second.hosts()).toEqual([aHost(1)]);
  await second.close();
  const refused = libsqlDirectory({ ...place, authToken: "wrong-s3cr3t" });
  await expect(refused).rejects.toThrow(/Cannot open the scheduler's database 127\.0\.0\.1:\d+: .*401/);
});
