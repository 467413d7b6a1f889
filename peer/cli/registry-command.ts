/** `pantala registry setup`: tells a container runtime of this machine to pull through the proxy of its peer. */
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Argument, type Command } from "commander";
import { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import { onOff, resolveSettings, type SettingsTable } from "../../schema/settings.ts";
import { containerdSetup } from "../registry/containerd-setup.ts";
import { dockerSetup } from "../registry/docker-setup.ts";
import type { RuntimeSetup, SetupOptions } from "../registry/file-change.ts";
import { podmanSetup } from "../registry/podman-setup.ts";
import { replaceFile } from "../store/replace-file.ts";
import type { CliContext } from "./cli-context.ts";
import { addSettings, flagsGiven } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

const RUNTIMES: Readonly<Record<string, (options: SetupOptions) => Promise<RuntimeSetup>>> = {
  containerd: containerdSetup,
  docker: dockerSetup,
  podman: podmanSetup,
};

const proxyUrl = z
  .url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" })
  .regex(/^https?:\/\/[^@?#/]+\/?$/i, "must be an address alone")
  .transform((url) => url.replace(/\/+$/, ""));
const registryName = z.string().regex(/^[a-z0-9.-]+(?::\d{1,5})?$/i, "must be a host, or host and port");

const SETUP_SETTINGS = {
  registry: {
    schema: z.array(registryName).min(1).max(100).default(["docker.io"]),
    value: "HOST",
    help: "registry that is to be mirrored; repeatable (default: docker.io)",
    remedy: "Use a name such as docker.io or registry.example:5000",
    list: true,
    only: "flag",
  },
  proxy: {
    schema: proxyUrl.default("http://127.0.0.1:65001"),
    value: "URL",
    help: "where the proxy of the peer is",
    remedy: "Use an address such as http://127.0.0.1:65001",
    only: "flag",
  },
  undo: {
    schema: onOff.default(false),
    help: "take it back",
    remedy: "Use it without a value",
    only: "flag",
  },
  print: {
    schema: onOff.default(false),
    help: "only print what would be written",
    remedy: "Use it without a value",
    only: "flag",
  },
  root: {
    schema: z.string().max(4096).default(""),
    value: "FOLDER",
    help: "folder that stands for the root of the machine, as when an image of it is built",
    remedy: "Name a folder",
    only: "flag",
  },
} as const satisfies SettingsTable;

export function addRegistryCommand(program: Command, context: CliContext): void {
  const registry = program.command("registry").description("container registries behind the proxy of this machine");
  const command = registry
    .command("setup")
    .description("Tells a container runtime of this machine to pull through the proxy of its peer, or takes that back.")
    .addArgument(
      new Argument("<runtime>", "podman is for CRI-O, skopeo and buildah as well").choices(Object.keys(RUNTIMES)),
    );
  addSettings(command, SETUP_SETTINGS);
  command.action(async (name: string) => {
    const resolved = resolveSettings(SETUP_SETTINGS, { flags: flagsGiven(command, SETUP_SETTINGS), env: {} });
    if (resolved.kind === "faults") throw usageError(resolved.faults);
    const { registry: registries, proxy, undo, print, root } = resolved.settings;
    const plan = RUNTIMES[name];
    if (plan === undefined) throw new ProblemError("bad-request", `There is no runtime ${name}`);
    const { changes, notes } = await plan({ registries, proxy, undo, root: root.replace(/\/+$/, ""), read });
    for (const { path, content } of changes) {
      if (print) context.stdout.write(content === undefined ? `remove ${path}\n` : `# ${path}\n${content}\n`);
      else context.stdout.write(`${await write(path, content)} ${path}\n`);
    }
    if (changes.length === 0) context.stdout.write("nothing to change\n");
    for (const note of notes) context.stdout.write(`${note}\n`);
  });
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unwritable(path, cause);
  }
}

async function write(path: string, content: string | undefined): Promise<"wrote" | "removed"> {
  try {
    if (content === undefined) {
      await rm(path);
      return "removed";
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await replaceFile(path, content, { durable: true });
    await chmod(path, 0o644);
    return "wrote";
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): ProblemError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new ProblemError("output-unwritable", `${path} cannot be changed (${code}): run it as root, or use --print`, {
    cause,
  });
}
