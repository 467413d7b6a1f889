import { dirname, isAbsolute } from "node:path";

/** Scripts of package.json that run this command. */
const SCRIPTS = ["pantala", "peer"];

/** The folder the user is in, where relative paths start. `bun run pantala` runs in the folder of package.json and sets
 *  PWD to it too; where it was called it tells in `npm_config_local_prefix` alone (Bun 1.4.5; npm's INIT_CWD is missing,
 *  oven-sh/bun#21088). Processes that a script starts inherit the variable, so it counts only for our own scripts. */
export function userFolder(env: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const { npm_lifecycle_event: script = "", npm_package_json: manifest = "", npm_config_local_prefix: called } = env;
  const isOurScript = SCRIPTS.includes(script) && dirname(manifest) === cwd;
  return isOurScript && called !== undefined && isAbsolute(called) ? called : cwd;
}
