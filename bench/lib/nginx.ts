/** nginx from Debian's packages: the source that is read, and the server to compare with. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, freePort, until } from "../../tests/fixtures/daemon.ts";
import { ensureDebianPackages } from "../../tests/fixtures/debian-packages.ts";
import type { Workbench } from "./workbench.ts";

export interface Nginx {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** What it serves. */
  readonly root: string;
  readonly daemon: Daemon;
}

export async function startNginx(workbench: Workbench): Promise<Nginx> {
  await ensureDebianPackages("nginx", ["nginx-light"]);
  const folder = join(workbench.folder, "nginx");
  const root = join(folder, "www");
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  await writeFile(config, configuration(folder, root, port));
  const daemon = workbench.start({
    name: "nginx",
    command: ["/usr/sbin/nginx", "-e", join(folder, "error.log"), "-p", folder, "-c", config],
    logPath: join(folder, "nginx.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  await until("nginx answers", async () => (await fetch(url)).status > 0, { daemon });
  return { url, root, daemon };
}

/** As Debian sets it up where it matters: `sendfile`, `tcp_nopush`, a worker a core. */
function configuration(folder: string, root: string, port: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 768; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
${temporary.map((what) => `  ${what}_temp_path ${folder}/${what};`).join("\n")}
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`;
}

export async function ensureCurl(): Promise<void> {
  await ensureDebianPackages("curl", ["curl"]);
}
