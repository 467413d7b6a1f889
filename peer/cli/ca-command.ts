/** `pantala ca`: the certificate authority by which the proxy of this machine opens TLS. */
import { X509Certificate } from "node:crypto";
import { access, chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Command } from "commander";
import { ProblemError } from "../../schema/problem.ts";
import { onOff, resolveSettings, type SettingsTable } from "../../schema/settings.ts";
import { DATA_DIR_SETTINGS, loadDataDir } from "../config/load-data-dir.ts";
import { type AuthorityFiles, authorityFilesIn } from "../proxy/authority-files.ts";
import type { CliContext } from "./cli-context.ts";
import { addSettings, flagsGiven } from "./setting-options.ts";
import { usageError } from "./usage-error.ts";

const CREATE_SETTINGS = {
  ...DATA_DIR_SETTINGS,
  force: {
    schema: onOff.default(false),
    help: "replace the authority that is there: clients that trust it must be told of the new one",
    remedy: "Use it without a value",
    only: "flag",
  },
} as const satisfies SettingsTable;

const SHOW_SETTINGS = {
  ...DATA_DIR_SETTINGS,
  pem: {
    schema: onOff.default(false),
    help: "the certificate itself, for clients that are to trust it",
    remedy: "Use it without a value",
    only: "flag",
  },
} as const satisfies SettingsTable;

export function addCaCommand(program: Command, context: CliContext): void {
  const ca = program.command("ca").description("the certificate authority by which the proxy opens TLS");
  const create = ca
    .command("create")
    .description("Makes a certificate authority for the proxy of this machine, in the data folder of its peer.");
  addSettings(create, CREATE_SETTINGS);
  create.action(async () => {
    const { files, flags } = await open(create, CREATE_SETTINGS, context);
    await createFiles(files, flags.force === true, context);
    await show(files, context);
  });
  const shown = ca
    .command("show")
    .description("Tells of the certificate authority of this machine's proxy, and how clients come to trust it.");
  addSettings(shown, SHOW_SETTINGS);
  shown.action(async () => {
    const { files, flags } = await open(shown, SHOW_SETTINGS, context);
    if (flags.pem === true) context.stdout.write(await certificateOf(files));
    else await show(files, context);
  });
}

async function open(command: Command, table: SettingsTable, { env, cwd }: CliContext) {
  const flags = flagsGiven(command, table);
  const found = await loadDataDir({ flags, env, cwd });
  const resolved = resolveSettings(table, { flags, env: {} });
  if (found.kind === "faults") throw usageError(found.faults);
  if (resolved.kind === "faults") throw usageError(resolved.faults);
  return { files: authorityFilesIn(found.folder), folder: found.folder, flags: resolved.settings };
}

async function createFiles(
  { certificatePath, keyPath }: AuthorityFiles,
  force: boolean,
  { nowMs }: CliContext,
): Promise<void> {
  const exists = await access(certificatePath).then(
    () => true,
    () => false,
  );
  if (exists && !force) {
    throw new ProblemError(
      "output-exists",
      `${certificatePath} is there already: \`pantala ca show\` tells of it, and --force replaces it`,
    );
  }
  const { createAuthority } = await import("../proxy/certificate-authority.ts");
  const made = await createAuthority(`Pantala proxy of ${hostname().slice(0, 40)}`, nowMs());
  const folder = certificatePath.slice(0, certificatePath.lastIndexOf("/"));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The mode counts for new files alone.
    await writeFile(keyPath, "", { mode: 0o600 });
    await chmod(keyPath, 0o600);
    await writeFile(keyPath, `${made.key}\n`);
    await writeFile(certificatePath, `${made.certificate}\n`, { mode: 0o644 });
  } catch (cause) {
    throw new ProblemError("output-unwritable", `${folder} cannot be written: name another with --data-dir`, { cause });
  }
}

async function certificateOf({ certificatePath }: AuthorityFiles): Promise<string> {
  try {
    return await readFile(certificatePath, "utf8");
  } catch (cause) {
    const message = `There is no certificate authority in ${certificatePath}: make one with \`pantala ca create\``;
    throw new ProblemError("output-unwritable", message, { cause });
  }
}

async function show(files: AuthorityFiles, { stdout }: CliContext): Promise<void> {
  const { subject, fingerprint256, validTo } = new X509Certificate(await certificateOf(files));
  const path = files.certificatePath;
  stdout.write(`certificate  ${path}
subject      ${subject}
fingerprint  SHA-256 ${fingerprint256}
valid until  ${validTo}

Clients trust it by
  curl                     CURL_CA_BUNDLE=${path}
  Python (requests)        REQUESTS_CA_BUNDLE=${path}
  aws, boto3               AWS_CA_BUNDLE=${path}
  Go, and OpenSSL          SSL_CERT_FILE=${path}
  Node, Bun                NODE_EXTRA_CA_CERTS=${path}
  Java                     keytool -importcert -alias pantala -file ${path} -cacerts
  Debian, all of it        cp ${path} /usr/local/share/ca-certificates/pantala.crt && update-ca-certificates
`);
}
