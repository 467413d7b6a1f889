/** `bun run types`: each runtime's part of the tree compiles against that runtime's types alone. */
const PROJECTS = ["tsconfig.core.json", "tsconfig.workerd.json", "tsconfig.bun.json"];

let failed = false;
for (const project of PROJECTS) {
  const { exitCode } = Bun.spawnSync(["tsc", "-p", project], { stdio: ["ignore", "inherit", "inherit"] });
  if (exitCode === 0) continue;
  console.error(`${project}: types do not fit`);
  failed = true;
}
process.exit(failed ? 1 : 0);
