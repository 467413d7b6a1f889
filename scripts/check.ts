/** `bun run check`: every check and test of the checkout. Each check counts as one, so does each test; the last line is
 *  `N passed, N failed`, and the exit code 0 only without failures. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { countTests, type TestCounts } from "./lib/junit.ts";

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Where the command leaves a JUnit report, when it runs tests. */
  readonly report?: string;
}

const root = resolve(import.meta.dir, "..");
const reports = await mkdtemp(join(tmpdir(), "pantala-check-"));
const bunReport = join(reports, "bun.xml");
const workerdReport = join(reports, "workerd.xml");

const STEPS: readonly Step[] = [
  {
    name: "format and lint",
    command: ["biome", "ci", "--diagnostic-level=warn", `--colors=${process.stdout.isTTY ? "force" : "off"}`, "."],
  },
  { name: "types", command: ["bun", "scripts/check-types.ts"] },
  { name: "layers", command: ["bun", "scripts/check-layers.ts"] },
  { name: "documents", command: ["bun", "scripts/check-docs.ts"] },
  { name: "migrations", command: ["bun", "scripts/bundle-migrations.ts", "--check"] },
  {
    name: "tests on Bun",
    // On a busy machine a test that takes a second may take ten; what hangs still ends.
    command: [
      "bun",
      "test",
      "--timeout=30000",
      "--only-failures",
      "--reporter=junit",
      `--reporter-outfile=${bunReport}`,
    ],
    report: bunReport,
  },
  {
    name: "tests on workerd",
    command: ["vitest", "run", "--reporter=default", "--reporter=junit", `--outputFile.junit=${workerdReport}`],
    report: workerdReport,
  },
];

async function run(step: Step): Promise<TestCounts> {
  console.log(`\n==> ${step.name}`);
  const startedAt = performance.now();
  const exitCode = await exitCodeOf(step.command);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`==> ${step.name}: ${exitCode === 0 ? "ok" : `FAILED (exit code ${exitCode})`}, ${seconds} s`);
  if (step.report === undefined) return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const counts = countTests(await readFile(step.report, "utf8").catch(() => ""));
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  // A file that cannot be loaded, or a runner that crashes, fails no test of the report.
  const runnerFailed = failed === 0 && (exitCode !== 0 || counts === undefined);
  return { passed, failed: failed + (runnerFailed ? 1 : 0), skipped };
}

async function exitCodeOf(command: readonly string[]): Promise<number> {
  // Tools of the checkout come before those of the machine, whose `node` may be too old for them.
  const path = `${join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}`;
  // Colours are for terminals; Bun's and vitest's are told so here, since a variable of the machine may say otherwise.
  const env = { ...process.env, PATH: path, ...(!process.stdout.isTTY && { NO_COLOR: "1", FORCE_COLOR: undefined }) };
  try {
    return await Bun.spawn([...command], { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] }).exited;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 127;
  }
}

const total = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const step of STEPS) {
    const counts = await run(step);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
} finally {
  await rm(reports, { recursive: true, force: true });
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;
