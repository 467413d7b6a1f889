/** `pantala store ls|check`: which stores the peer of this machine is configured for, and whether they let themselves be
 *  read. */
import type { Command } from "commander";
import { z } from "zod";
import { type Problem, ProblemError, problemOf } from "../../schema/problem.ts";
import {
  type ConfiguredStore,
  configuredStoreSchema,
  type StoreCheck,
  storeCheckSchema,
} from "../../schema/wire/local-stores.ts";
import { CLIENT_SETTINGS } from "../config/client-settings.ts";
import type { CliContext } from "./cli-context.ts";
import { plainText } from "./human.ts";
import { JSON_SETTING } from "./list-settings.ts";
import type { LocalClient } from "./local-client.ts";
import { openCommand } from "./open-command.ts";
import { addSettings, flagsGiven, variablesHelp } from "./setting-options.ts";
import { STORAGE_SETTINGS } from "./storage-settings.ts";
import { readStoreSource, type StoreSource } from "./store-source.ts";
import { textTable } from "./text-table.ts";
import { usageError } from "./usage-error.ts";

const LIST_SETTINGS = { json: JSON_SETTING } as const;
const CHECK_SETTINGS = { ...STORAGE_SETTINGS, json: JSON_SETTING } as const;

interface CheckedStore {
  readonly url: string;
  readonly check: StoreCheck | null;
  readonly problem: Problem | null;
}

export function addStoreCommand(program: Command, context: CliContext): void {
  const store = program.command("store").description("tell which stores are configured, and try them");
  addListCommand(store, context);
  addCheckCommand(store, context);
}

function addListCommand(store: Command, context: CliContext): void {
  const command = store
    .command("ls")
    .description(
      "Lists the stores that the peer of this machine is configured for, and what kind of credentials it has.",
    );
  addSettings(command, LIST_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.action(async () => {
    const { flags, client } = await openCommand(command, context, LIST_SETTINGS);
    const items = await configuredStores(client);
    context.stdout.write(flags.json ? `${JSON.stringify({ items })}\n` : storeTable(items));
  });
}

function addCheckCommand(store: Command, context: CliContext): void {
  const command = store
    .command("check")
    .description(
      "Tries whether stores let themselves be listed and read, with the rights the peer of this machine has for them: every one of its configuration, or the one that the URL names.",
    )
    .argument("[url]", "a bucket, a folder in one, or an object");
  addSettings(command, CHECK_SETTINGS);
  addSettings(command, CLIENT_SETTINGS);
  command.addHelpText("after", () => `\n${variablesHelp({ ...STORAGE_SETTINGS, ...CLIENT_SETTINGS })}`);
  command.action(async (url: string | undefined) => {
    const read =
      url === undefined ? undefined : await readStoreSource(url, flagsGiven(command, STORAGE_SETTINGS), context);
    const { flags, client } = await openCommand(command, context, CHECK_SETTINGS, () => read?.faults ?? []);
    const sources = read === undefined ? await rulesOf(client) : [read.source];
    const checked = await Promise.all(
      sources.map((source) =>
        url === undefined && isForSeveral(source.url) ? untried(source) : check(client, source),
      ),
    );
    context.stdout.write(flags.json ? `${JSON.stringify({ items: checked })}\n` : checked.map(checkLine).join(""));
    const failed = checked.filter(({ problem }) => problem !== null);
    if (failed[0]?.problem) {
      const message = `${failed.length} of ${checked.length} stores cannot be read: ${failed.map((each) => each.url).join(", ")}`;
      throw new ProblemError(failed[0].problem.code, message);
    }
  });
}

async function configuredStores(client: LocalClient): Promise<ConfiguredStore[]> {
  return (await client.read("/v1/stores", z.object({ items: z.array(configuredStoreSchema) }))).items;
}

/** Those of the configuration: variables name no bucket that could be tried. */
async function rulesOf(client: LocalClient): Promise<StoreSource[]> {
  const rules = (await configuredStores(client)).filter(({ prefix }) => !prefix.endsWith("://"));
  if (rules.length > 0) return rules.map(({ prefix }) => ({ url: prefix }));
  throw usageError([
    {
      origin: "URL",
      value: "not set",
      problem: "must be given, since no store is configured",
      remedy:
        "Name a bucket, such as pantala store check s3://bucket, or add rules to the configuration of the peer (stores)",
    },
  ]);
}

/** A rule may be for all containers of an account, or all repositories of an owner: none of them is known here. */
function isForSeveral(prefix: string): boolean {
  return /^(?:as:\/\/[^/]*|hf:\/\/(?:(?:models|datasets|spaces)\/)?[^/]*)\/?$/i.test(prefix);
}

function untried({ url }: StoreSource): CheckedStore {
  return { url, check: null, problem: null };
}

async function check(client: LocalClient, source: StoreSource): Promise<CheckedStore> {
  // A signature may be part of it.
  const url = source.url.replace(/\?.*$/s, "");
  try {
    return { url, check: await client.post("/v1/stores/check", { source }, storeCheckSchema), problem: null };
  } catch (error) {
    const problem = problemOf(error);
    // Without a peer no store can be blamed.
    if (problem.code === "not-ready" || problem.code === "cancelled") throw error;
    return { url, check: null, problem };
  }
}

function checkLine({ url, check: done, problem }: CheckedStore): string {
  if (done === null && problem === null)
    return `-       ${plainText(url)}: is for several; name one of them to try it\n`;
  return `${problem === null ? "ok    " : "FAILED"}  ${plainText(url)}: ${plainText(problem?.message ?? doneText(done))}\n`;
}

function doneText(done: StoreCheck | null): string {
  if (done?.listedKeys === null) return "can be read";
  if (done?.readKey === null) return "can be listed; there is nothing in it to read";
  return `can be listed and read (${done?.readKey})`;
}

function storeTable(items: readonly ConfiguredStore[]): string {
  return textTable(
    [
      { title: "PREFIX", of: ({ prefix }: ConfiguredStore) => prefix },
      { title: "ENDPOINT", of: ({ endpoint }) => endpoint ?? "" },
      { title: "REGION", of: ({ region }) => region ?? "" },
      { title: "CREDENTIALS", of: ({ credentials }) => credentials },
    ],
    items,
  );
}
