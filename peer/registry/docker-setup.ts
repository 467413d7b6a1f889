import { z } from "zod";
import { ProblemError } from "../../schema/problem.ts";
import type { RuntimeSetup, SetupOptions } from "./file-change.ts";

const FILE = "/etc/docker/daemon.json";

const daemonFile = z.looseObject({ "registry-mirrors": z.array(z.string()).optional() });

/** One entry of `registry-mirrors`; what else the file says stays as it is. Docker mirrors Docker Hub alone.
 *  @throws ProblemError `bad-request` when the file cannot be read, or another registry is asked for */
export async function dockerSetup({ proxy, registries, undo, root, read }: SetupOptions): Promise<RuntimeSetup> {
  const other = registries.find((registry) => registry !== "docker.io");
  if (other !== undefined) {
    throw new ProblemError(
      "bad-request",
      `Docker has no mirrors of ${other}, only of docker.io: use its proxy settings, or containerd's image store`,
    );
  }
  const path = `${root}${FILE}`;
  const before = await read(path);
  const given = parsed(before, path);
  const others = (given["registry-mirrors"] ?? []).filter((mirror) => mirror.replace(/\/+$/, "") !== proxy);
  const mirrors = undo ? others : [proxy, ...others];
  const { "registry-mirrors": _, ...rest } = given;
  const after = mirrors.length === 0 ? rest : { ...rest, "registry-mirrors": mirrors };
  const content = Object.keys(after).length === 0 ? undefined : `${JSON.stringify(after, null, 2)}\n`;
  const isSame = JSON.stringify(before === undefined ? {} : given) === JSON.stringify(after);
  const changes = isSame ? [] : [{ path, content }];
  return { changes, notes: changes.length === 0 ? [] : ["Docker reads it anew by: systemctl reload docker"] };
}

function parsed(text: string | undefined, path: string): z.output<typeof daemonFile> {
  if (text === undefined || text.trim() === "") return {};
  try {
    return daemonFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new ProblemError("bad-request", `${path} is no JSON that Docker would read: mend it first`, { cause });
  }
}
