/** Answers in the shape of Dragonfly Endpoint, `{"Status": "..."}`, but valid JSON under the true status. An error has
 *  TorchServe's own fields besides. */
import { PROBLEM_STATUS, type Problem } from "../../schema/problem.ts";
import type { Registered } from "./register.ts";

export interface StatusReply {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What is TorchServe's of its reply to a registration; the rest is about its own body. */
const PASSED_ON = new Set(["x-request-id", "pragma", "cache-control", "expires"]);

export function registeredReply({ status, text, type, rawHeaders }: Registered): StatusReply {
  const passed: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (PASSED_ON.has(name.toLowerCase())) passed.push(name, value);
  }
  if (status < 400) return replyOf(status, { Status: text }, passed);
  return replyOf(status, errorBody(status, type ?? "TorchServeException", text), passed);
}

export function problemReply({ code, message }: Problem): StatusReply {
  // The model store is the server's business, not the caller's right.
  const status = code.startsWith("output-") ? 500 : PROBLEM_STATUS[code];
  return replyOf(status, errorBody(status, code, message));
}

function errorBody(code: number, type: string, message: string): Record<string, unknown> {
  return { Status: message, code, type, message };
}

function replyOf(
  status: number,
  fields: Readonly<Record<string, unknown>>,
  passed: readonly string[] = [],
): StatusReply {
  const pairs = Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const body = `{${pairs.join(", ")}}\n`;
  const rawHeaders = ["content-type", "application/json", ...passed, "content-length", String(Buffer.byteLength(body))];
  return { status, rawHeaders, body };
}
