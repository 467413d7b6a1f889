/** squid from Debian's packages, as a proxy that keeps nothing: what is to be compared with. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, freePort, until } from "../../tests/fixtures/daemon.ts";
import { ensureDebianPackages } from "../../tests/fixtures/debian-packages.ts";
import type { Workbench } from "../lib/workbench.ts";

export interface Squid {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly daemon: Daemon;
}

export async function startSquid(workbench: Workbench): Promise<Squid> {
  await ensureDebianPackages("squid", ["squid"]);
  const folder = join(workbench.folder, "squid");
  await mkdir(folder);
  const port = await freePort();
  const config = join(folder, "squid.conf");
  const lines = [
    `http_port 127.0.0.1:${port}`,
    "http_access allow all",
    "cache deny all",
    "access_log none",
    "cache_store_log none",
    // Started by root it becomes a user who cannot see into our folder.
    "cache_log /dev/null",
    "pid_filename none",
    "coredump_dir /",
    "shutdown_lifetime 0 seconds",
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  // Its shared memory is called after it.
  const command = ["/usr/sbin/squid", "-N", "-n", `pantala${port}`, "-f", config];
  const daemon = workbench.start({ name: "squid", command, logPath: join(folder, "squid.log") });
  const url = `http://127.0.0.1:${port}`;
  await until("squid answers", async () => (await fetch(url)).status > 0, { daemon });
  return { url, daemon };
}
