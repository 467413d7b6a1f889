/** Debian's docker-registry, and an image to put into it. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Daemon, freePort, until } from "../fixtures/daemon.ts";
import { ensureDebianPackages } from "../fixtures/debian-packages.ts";
import { run } from "./proxy-cluster.ts";

export interface RegistryUser {
  readonly username: string;
  readonly password: string;
}

export class DockerRegistry implements AsyncDisposable {
  readonly port: number;
  readonly #daemon: Daemon;

  /** @param folder of its own @param user who may use it; everybody when absent */
  static async start(folder: string, user?: RegistryUser): Promise<DockerRegistry> {
    await ensureDebianPackages("docker-registry", ["docker-registry"]);
    const port = await freePort();
    const lines = [
      "version: 0.1",
      "log: {accesslog: {disabled: false}, level: warn}",
      `storage: {filesystem: {rootdirectory: ${join(folder, "data")}}}`,
      `http: {addr: "127.0.0.1:${port}"}`,
    ];
    await mkdir(join(folder, "data"), { recursive: true });
    if (user !== undefined) {
      await ensureDebianPackages("htpasswd", ["apache2-utils"]);
      const { stdout } = await run(["htpasswd", "-Bbn", user.username, user.password]);
      await writeFile(join(folder, "htpasswd"), stdout);
      lines.push(`auth: {htpasswd: {realm: test, path: ${join(folder, "htpasswd")}}}`);
    }
    await writeFile(join(folder, "config.yml"), `${lines.join("\n")}\n`);
    const registry = new DockerRegistry(folder, port);
    await until("the registry answers", async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).status < 500, {
      daemon: registry.#daemon,
    });
    return registry;
  }

  private constructor(folder: string, port: number) {
    this.port = port;
    const command = ["docker-registry", "serve", join(folder, "config.yml")];
    this.#daemon = new Daemon({ name: "docker-registry", command, logPath: join(folder, "registry.log") });
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Method, path and status of each request, such as `GET /v2/library/demo/blobs/sha256:... 200`. */
  asked(): string[] {
    const lines = this.#daemon.log().matchAll(/"(GET|HEAD|POST|PUT|PATCH) (\S+) HTTP\/1\.1" (\d{3})/g);
    return [...lines].map(([, method, path, status]) => `${method} ${path} ${status}`);
  }

  /** Bytes of blobs sent so far. @param digest of that blob alone */
  blobBytes(digest = ""): number {
    const lines = this.#daemon.log().matchAll(/"GET \S+\/blobs\/(\S+) HTTP\/1\.1" 20[06] (\d+) /g);
    return [...lines]
      .filter(([, blob]) => blob?.startsWith(digest))
      .reduce((sum, [, , bytes]) => sum + Number(bytes), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
  }
}

/** Writes an image with one layer of random bytes, as an OCI layout. Gives the bytes of its layer. */
export async function writeImage(folder: string, layerBytes: number): Promise<Buffer> {
  const blobs = join(folder, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (content: Buffer, mediaType: string) => {
    const hex = createHash("sha256").update(content).digest("hex");
    await writeFile(join(blobs, hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const tar = tarOf("model.bin", randomBytes(layerBytes));
  const layer = gzipSync(tar, { level: 1 });
  const config = {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(tar).digest("hex")}`] },
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await put(json(config), "application/vnd.oci.image.config.v1+json"),
    layers: [await put(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
  };
  const described = await put(json(manifest), manifest.mediaType);
  const annotations = { "org.opencontainers.image.ref.name": "v1" };
  await writeFile(join(folder, "index.json"), json({ schemaVersion: 2, manifests: [{ ...described, annotations }] }));
  await writeFile(join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  return layer;
}

/** One file, in the format of tar. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\x000000000\x000000000\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`, 124);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** Puts an image into a registry. */
export async function pushImage(
  registry: DockerRegistry,
  layout: string,
  name: string,
  user?: RegistryUser,
): Promise<void> {
  await ensureDebianPackages("skopeo", ["skopeo"]);
  const creds = user === undefined ? [] : ["--dest-creds", `${user.username}:${user.password}`];
  const target = `docker://${registry.host}/${name}`;
  const command = [
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    "--dest-tls-verify=false",
    ...creds,
    `oci:${layout}:v1`,
    target,
  ];
  const { exitCode, stderr } = await run(command);
  if (exitCode !== 0) throw new Error(`skopeo cannot push: ${stderr}`);
}
