import { type FileChange, ownFile, type RuntimeSetup, type SetupOptions } from "./file-change.ts";

const CONFIG = "/etc/containerd/config.toml";
const HOSTS = "/etc/containerd/certs.d";
const CONFIG_PATH_NOTE = `Kubernetes (CRI) looks into ${HOSTS} only when ${CONFIG} says so, and containerd was restarted since:
  [plugins."io.containerd.grpc.v1.cri".registry]      # version 2 of the file; in version 3: [plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "${HOSTS}"`;

/** One `hosts.toml` a registry. containerd reads them at each pull. When the mirror is away it asks the registry itself. */
export async function containerdSetup(options: SetupOptions): Promise<RuntimeSetup> {
  const { proxy, registries, root, undo, read } = options;
  const changes: FileChange[] = [];
  for (const registry of registries) {
    const server = registry === "docker.io" ? "https://registry-1.docker.io" : `https://${registry}`;
    const content = `server = "${server}"\n\n[host."${proxy}"]\n  capabilities = ["pull", "resolve"]\n`;
    changes.push(...(await ownFile(`${root}${HOSTS}/${registry}/hosts.toml`, content, options)));
  }
  const isConfigured = /^\s*config_path\s*=\s*["'][^"']*certs\.d/m.test((await read(`${root}${CONFIG}`)) ?? "");
  return { changes, notes: undo || isConfigured ? [] : [CONFIG_PATH_NOTE] };
}
