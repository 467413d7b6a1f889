/** Settings that mean the same to a scheduler and to a peer. */
import { z } from "zod";

export const MIN_TOKEN_LENGTH = 16;

/** A path as a person writes it. */
export const pathSetting = z
  .string({ error: "must be a path" })
  .min(1, "must not be empty")
  .max(4096)
  .regex(/^\P{Cc}*$/u, "must not hold control characters");

/** It travels in an `Authorization` header, and tickets are signed with a key made of it: a short one can be guessed. */
export const clusterTokenSetting = z
  .string({ error: "must be text" })
  .trim()
  .min(MIN_TOKEN_LENGTH, `must have at least ${MIN_TOKEN_LENGTH} characters`)
  .max(1024, "must have at most 1024 characters")
  .regex(/^[\x21-\x7e]*$/, "must be printable ASCII without spaces");

export const SHARED_SETTINGS = {
  token: {
    schema: clusterTokenSetting.optional(),
    value: "TOKEN",
    help: "cluster token; `ps` shows flags to everybody, so prefer the variable or the token file",
    remedy:
      "Copy the token the scheduler keeps in the file cluster-token of its data folder, or draw one with openssl rand -hex 32",
    defaultText: "read from the token file",
    secret: true,
  },
  config: {
    schema: pathSetting.optional(),
    value: "FILE",
    help: "YAML file with any of these settings",
    remedy: "Name a readable YAML file",
    defaultText: "none",
    only: "command",
  },
} as const;
