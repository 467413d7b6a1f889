/** The direction of imports, as a table. Design 2: schema <- core <- store <- http <- runtime; edge and peer never
 *  import each other. */
import { posix } from "node:path";
import type { ModuleFacts } from "./module-facts.ts";

interface Room {
  /** Folder this rule is for; the longest that fits a file counts. */
  readonly folder: string;
  /** Folders and files of ours it may import, besides itself. */
  readonly may: readonly string[];
  /** Exceptions from `may`. */
  readonly except?: readonly string[];
  /** The rule as a sentence, printed on a breach. */
  readonly rule: string;
}

const NOT_FOR_CORE = ["schema/tables/", "schema/wire/codec.ts", "schema/ticket.ts", "schema/settings.ts"];
const CORE_RULE =
  "core decides over plain data: it imports its own room and the pure values of schema/, no tables, codec, ticket or settings";

const ROOMS: readonly Room[] = [
  {
    folder: "schema/",
    // For the version of the program.
    may: ["package.json"],
    except: ["schema/tables/"],
    rule: "schema/ is the shared language: it imports nothing else of ours, and its tables are for edge/store/",
  },
  { folder: "schema/tables/", may: ["schema/"], rule: "schema/ imports nothing else of ours" },
  { folder: "migrations/", may: [], rule: "migrations/ imports nothing of ours" },
  { folder: "edge/core/", may: ["schema/"], except: NOT_FOR_CORE, rule: CORE_RULE },
  {
    folder: "edge/store/",
    may: ["edge/core/", "schema/", "migrations/"],
    rule: "edge/store/ remembers: it imports edge/core/, schema/ and migrations/",
  },
  {
    folder: "edge/shard/",
    may: ["edge/core/", "edge/store/directory.ts", "schema/"],
    except: ["schema/tables/"],
    rule: "edge/shard/ imports edge/core/, schema/ and of edge/store/ only the port directory.ts",
  },
  {
    folder: "edge/http/",
    may: ["edge/shard/shard.ts", "edge/core/", "edge/store/directory.ts", "schema/"],
    except: ["schema/tables/"],
    rule: "edge/http/ imports edge/core/, schema/ and the ports edge/shard/shard.ts and edge/store/directory.ts",
  },
  {
    folder: "edge/runtime/",
    may: ["edge/", "schema/", "migrations/"],
    rule: "edge/runtime/ imports edge/, schema/ and migrations/",
  },
  { folder: "peer/core/", may: ["schema/"], except: NOT_FOR_CORE, rule: CORE_RULE },
  {
    folder: "peer/",
    may: ["schema/"],
    except: ["schema/tables/"],
    rule: "peer/ imports peer/ and schema/, and no tables",
  },
];

const SIDES = ["edge/", "peer/"];
/** May import anything and name any platform: they are no part of what runs. */
const BESIDE = ["scripts/", "tests/", "bench/"];

/** One line each: where, what, and the rule it breaks.
 *  @param path of the module, relative to the root of the checkout, with `/` */
export function breachesOf(path: string, facts: ModuleFacts): string[] {
  if (BESIDE.some((folder) => path.startsWith(folder)) || !path.includes("/")) return [];
  return [...importBreaches(path, facts), ...nameBreaches(path, facts)];
}

function importBreaches(path: string, facts: ModuleFacts): string[] {
  const room = roomOf(path);
  if (room === undefined) return [`${path}:1 lies in no room: add its folder to scripts/lib/layer-rules.ts`];
  const breaches: string[] = [];
  for (const { name, line } of facts.imports) {
    const say = (rule: string): void => void breaches.push(`${path}:${line} imports ${name}: ${rule}`);
    if (isPlatformModule(name) && !mayNamePlatforms(path)) say(PLATFORM_RULE);
    if (!name.startsWith(".")) continue;
    const target = posix.join(posix.dirname(path), name);
    const otherSide = SIDES.find((side) => target.startsWith(side) && SIDES.some((own) => path.startsWith(own)));
    if (otherSide !== undefined && !path.startsWith(otherSide)) {
      say("edge and peer never import each other: what both need belongs in schema/");
    } else if (!mayImport(room, path, target)) {
      say(room.rule);
    }
  }
  return breaches;
}

function mayImport(room: Room, path: string, target: string): boolean {
  // A test puts the parts of its side together, as nothing but runtime/ does otherwise.
  if (isTest(path)) return true;
  if (room.except?.some((prefix) => target.startsWith(prefix))) return false;
  return target.startsWith(room.folder) || room.may.some((prefix) => target.startsWith(prefix));
}

const PLATFORM_RULE = "names of one platform (Bun, Deno, cloudflare:) live in runtime/ folders only";

function nameBreaches(path: string, facts: ModuleFacts): string[] {
  const pure = /^(edge|peer)\/core\//.test(path) && !isTest(path);
  return facts.names.flatMap(({ name, line }) => {
    const isPlatform = /\b(Bun|Deno)$/.test(name);
    if (isPlatform) return mayNamePlatforms(path) ? [] : [`${path}:${line} uses ${name}: ${PLATFORM_RULE}`];
    const rule = "time and chance are parameters of the core: take nowMs or random";
    return pure ? [`${path}:${line} uses ${name}: ${rule}`] : [];
  });
}

function roomOf(path: string): Room | undefined {
  return ROOMS.filter((room) => path.startsWith(room.folder)).toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

function isPlatformModule(specifier: string): boolean {
  return specifier === "bun" || /^(bun|cloudflare|jsr|deno):/.test(specifier);
}

function mayNamePlatforms(path: string): boolean {
  return path.includes("/runtime/") || isTest(path);
}

function isTest(path: string): boolean {
  return /\.(test|conformance)\.ts$/.test(path);
}
