/** Flags of `pantala get`, named as dfget names them where it has them. */
import { z } from "zod";
import { formatDigest, parseDigest } from "../../schema/digest.ts";
import { byteSize, duration, onOff, type SettingsOf, type SettingsTable } from "../../schema/settings.ts";
import { labelField, pieceLengthField, textField } from "../../schema/wire/fields.ts";
import { wholeNumber } from "../config/whole-number.ts";
import { STORAGE_SETTINGS } from "./storage-settings.ts";

const digest = z.string().transform((text, context) => {
  const parsed = parseDigest(text);
  if (parsed !== undefined) return formatDigest(parsed);
  context.addIssue({ code: "custom", message: "must be ALGORITHM:HEX in full length" });
  return z.NEVER;
});

/** `Name: value` pairs as one object. */
const headers = z.array(z.string().max(10_000)).transform((lines, context) => {
  const found: Record<string, string> = {};
  for (const line of lines) {
    const [, name = "", value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}):[ \t]*(\P{Cc}*)$/u.exec(line) ?? [];
    const known = Object.keys(found).some((other) => other.toLowerCase() === name.toLowerCase());
    if (name === "" || known) {
      const message = known
        ? `${name} is given twice`
        : "must be a header such as Accept: */*, without control characters";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    found[name] = value.trimEnd();
  }
  return found;
});

export const GET_SETTINGS = {
  output: {
    schema: z.string().min(1, "must not be empty").max(4096).optional(),
    short: "O",
    value: "FILE",
    help: "where to put the content: a file, a folder to put it in, or - for standard output, in order as it comes; with -r a folder, made when it is missing",
    remedy: "Name a file, an existing folder, or -",
    defaultText: "the last part of the URL, in this folder",
    only: "flag",
  },
  recursive: {
    schema: onOff.default(false),
    short: "r",
    help: "fetch all files of a folder in a store, with its folders",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  include: {
    schema: z.array(z.string().min(1, "must not be empty").max(1024)).max(1000).default([]),
    short: "I",
    value: "GLOB",
    help: "with -r: only files that fit, such as '*.safetensors' by name or 'en/**' by path; repeatable",
    remedy: "Use a pattern with *, ?, ** or {a,b}, in quotes",
    aliases: ["include-files"],
    list: true,
    only: "flag",
  },
  maxFiles: {
    schema: wholeNumber(1, 1_000_000).default(10_000),
    value: "N",
    help: "with -r: fetch nothing when there are more files than this",
    remedy: "Use a whole number",
  },
  parallel: {
    schema: wholeNumber(1, 64).default(8),
    value: "N",
    help: "with -r: most files fetched at the same time",
    remedy: "Use a whole number from 1 to 64",
  },
  digest: {
    schema: digest.optional(),
    value: "ALGORITHM:HEX",
    help: "digest the content must have: sha256, sha512 or blake3",
    remedy: "Use sha256:<64 hex digits>, sha512:<128 hex digits> or blake3:<64 hex digits>",
    only: "flag",
  },
  header: {
    schema: headers.default({}),
    short: "H",
    value: "NAME: VALUE",
    help: "header for the source; repeatable",
    remedy: "Write -H 'Name: value', each name once",
    secret: true,
    list: true,
    only: "flag",
  },
  tag: {
    schema: labelField.default(""),
    value: "TEXT",
    help: "keeps this content apart from the same content with another tag",
    remedy: "Use at most 256 characters",
  },
  application: {
    schema: labelField.default(""),
    value: "TEXT",
    help: "who asks; keeps content apart as a tag does",
    remedy: "Use at most 256 characters",
  },
  filteredQueryParam: {
    schema: z.array(textField(256)).max(256).optional(),
    value: "NAME",
    help: "query parameter that does not tell contents apart; repeatable",
    remedy: "Name a query parameter of the URL",
    defaultText: "those that only sign a URL",
    list: true,
  },
  pieceLength: {
    schema: byteSize.pipe(pieceLengthField).optional(),
    value: "SIZE",
    help: "length of a piece, such as 4MiB; content with another length is another task",
    remedy: "Use a size from 64KiB to 64MiB",
    defaultText: "by size, 256KiB to 16MiB",
  },
  timeout: {
    schema: duration.default(7_200_000),
    value: "TIME",
    help: "give up after this long, such as 90s or 2h; 0 is never",
    remedy: "Use a duration such as 30s, 10m or 2h",
    defaultText: "2h",
  },
  overwrite: {
    schema: onOff.default(false),
    help: "replace the output when it exists",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  forceHardLink: {
    schema: onOff.default(false),
    help: "fail rather than copy when the output cannot be a hard link to the peer's store",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  noProgress: {
    schema: onOff.default(false),
    help: "show no progress, only the result",
    remedy: "Give the flag without a value, or use yes or no",
  },
  json: {
    schema: onOff.default(false),
    help: "print the result as one JSON object; an error as one on standard error",
    remedy: "Give the flag without a value",
    only: "flag",
  },
  ...STORAGE_SETTINGS,
} as const satisfies SettingsTable;

export type GetSettings = SettingsOf<typeof GET_SETTINGS>;
