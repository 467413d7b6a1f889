/** Flags that lists share. */
import { z } from "zod";
import { onOff } from "../../schema/settings.ts";
import { labelField } from "../../schema/wire/fields.ts";
import { wholeNumber } from "../config/whole-number.ts";

export const JSON_SETTING = {
  schema: onOff.default(false),
  help: "print JSON",
  remedy: "Give the flag without a value",
  only: "flag",
} as const;

export const LIMIT_SETTING = {
  schema: wholeNumber(1, 100_000).default(1000),
  value: "N",
  help: "most lines to print",
  remedy: "Use a whole number",
  only: "flag",
} as const;

/** A filter by equality with a label. */
export const labelFilter = (value: string, help: string) =>
  ({ schema: labelField.optional(), value, help, remedy: "Use at most 256 characters", only: "flag" }) as const;

/** A filter by one of a few words. */
export const wordFilter = <Word extends string>(value: string, words: readonly [Word, ...Word[]]) =>
  ({
    schema: z.enum(words).optional(),
    value,
    help: `only these: ${words.join(", ")}`,
    remedy: `Use ${words.join(", ")}`,
    only: "flag",
  }) as const;
