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
  /** A line for each request that has ended, in another place than loopback: the bytes of its body. */
  readonly requestLog: string;
}

/** A place other than loopback: it can be asked from here by its unix socket only. */
export interface NginxPlace {
  readonly address: string;
  /** Command that runs it: `nsenter` and its flags, say. */
  readonly launcher: readonly string[];
}

/** @param place where it listens and notes every request; a free port of loopback, without notes, by default */
export async function startNginx(workbench: Workbench, place?: NginxPlace): Promise<Nginx> {
  await ensureDebianPackages("nginx", ["nginx-light"]);
  const folder = join(workbench.folder, "nginx");
  const root = join(folder, "www");
  await mkdir(root, { recursive: true });
  const address = place?.address ?? `127.0.0.1:${await freePort()}`;
  const config = join(folder, "nginx.conf");
  const unix = join(folder, "nginx.sock");
  const requestLog = join(folder, "requests.log");
  const noted = `log_format body '$body_bytes_sent'; access_log ${requestLog} body;`;
  const text =
    place === undefined
      ? configuration(folder, root, { log: "access_log off;", listen: `listen ${address};` })
      : configuration(folder, root, { log: noted, listen: `listen ${address}; listen unix:${unix};` });
  await writeFile(config, text);
  const command = ["/usr/sbin/nginx", "-e", join(folder, "error.log"), "-p", folder, "-c", config];
  const daemon = workbench.start({
    name: "nginx",
    command: [...(place?.launcher ?? []), ...command],
    logPath: join(folder, "nginx.log"),
  });
  const url = `http://${address}`;
  const init = place === undefined ? {} : { unix };
  await until("nginx answers", async () => (await fetch(url, init)).status > 0, { daemon });
  return { url, root, daemon, requestLog };
}

/** As Debian sets it up where it matters: `sendfile`, `tcp_nopush`, a worker a core. */
function configuration(folder: string, root: string, { log, listen }: { log: string; listen: string }): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 768; }
http {
  ${log}
  sendfile on;
  tcp_nopush on;
${temporary.map((what) => `  ${what}_temp_path ${folder}/${what};`).join("\n")}
  server { ${listen} root ${root}; }
}
`;
}

export async function ensureCurl(): Promise<void> {
  await ensureDebianPackages("curl", ["curl"]);
}
