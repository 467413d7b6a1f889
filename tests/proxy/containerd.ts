/** Debian's containerd, of which only the store of content is used. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon, until } from "../fixtures/daemon.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { type Ran, run } from "./proxy-cluster.ts";

export class Containerd implements AsyncDisposable {
  readonly #folder: string;
  readonly #daemon: Daemon;

  static async start(folder: string): Promise<Containerd> {
    await ensureDebianPackages("ctr", ["containerd"]);
    await mkdir(folder, { recursive: true });
    const config = [
      "version = 2",
      `root = "${join(folder, "root")}"`,
      `state = "${join(folder, "state")}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\naddress = "${join(folder, "c.sock")}"`,
    ];
    await writeFile(join(folder, "config.toml"), `${config.join("\n")}\n`);
    const containerd = new Containerd(folder);
    await until("containerd answers", async () => (await containerd.ctr("version")).exitCode === 0, {
      daemon: containerd.#daemon,
    });
    return containerd;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const command = ["containerd", "-c", join(folder, "config.toml")];
    this.#daemon = new Daemon({ name: "containerd", command, logPath: join(folder, "containerd.log") });
  }

  ctr(...args: string[]): Promise<Ran> {
    return run(["ctr", "-a", join(this.#folder, "c.sock"), ...args]);
  }

  /** Fetches all of an image. @param hosts folder of `hosts.toml` files
   *  @returns with what it complains of, if it failed: its display of progress may also do so when all is well ("failed to get
   *  content info": it was looking when the fetch was over) */
  async fetch(reference: string, hosts: string, ...args: string[]): Promise<Pick<Ran, "exitCode" | "stderr">> {
    const { exitCode, stderr } = await this.ctr("content", "fetch", "--hosts-dir", hosts, ...args, reference);
    return { exitCode, stderr: exitCode === 0 ? "" : stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
  }
}
