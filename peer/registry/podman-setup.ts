import { registryPathPart } from "../proxy/registry-target.ts";
import { ownFile, type RuntimeSetup, type SetupOptions } from "./file-change.ts";

const FILE = "/etc/containers/registries.conf.d/50-pantala.conf";

/** A file that podman, skopeo, buildah and CRI-O read besides their own. They say nothing of the registry they mean, so
 *  that it is a part of the mirror's path. When the mirror is away they ask the registry itself. */
export async function podmanSetup(options: SetupOptions): Promise<RuntimeSetup> {
  const { proxy, registries, root, undo } = options;
  const { host, protocol } = new URL(proxy);
  const parts = registries.map((registry) => {
    const location = `${host}/${registryPathPart(registry)}`;
    const mirror = `[[registry.mirror]]\nlocation = "${location}"\ninsecure = ${protocol === "http:"}\n`;
    return `[[registry]]\nprefix = "${registry}"\nlocation = "${registry}"\n\n${mirror}`;
  });
  const changes = await ownFile(`${root}${FILE}`, parts.join("\n"), options);
  const login = `Private registries: log in to the mirror, too: podman login --tls-verify=false ${host}/${registryPathPart(registries[0] ?? "REGISTRY")}`;
  return { changes, notes: undo ? [] : [login] };
}
