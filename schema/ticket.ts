/** Tickets: short-lived proof that a host may have a task, shown by a child to its parents. JWT, HS256. */
import { JOSEError, JWTExpired } from "jose/errors";
import { SignJWT } from "jose/jwt/sign";
import { jwtVerify } from "jose/jwt/verify";
import { type HostId, parseHostId, parseTaskId, type TaskId } from "./ids.ts";
import { ProblemError } from "./problem.ts";

export const TICKET_TTL_MS = 15 * 60_000;
const ISSUER = "pantala";
/** Clocks of two hosts may differ by this much. */
const CLOCK_TOLERANCE_S = 60;

export interface Ticket {
  readonly hostId: HostId;
  readonly taskId: TaskId;
}

/** The signing key of a cluster: HKDF-SHA256 over its token, so that the token itself is never used as a key twice. */
export async function ticketKeyOf(clusterToken: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const secret = await crypto.subtle.importKey("raw", encoder.encode(clusterToken), "HKDF", false, ["deriveKey"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt: encoder.encode("pantala"),
    info: encoder.encode("ticket-v1"),
  };
  // A key in bytes would be imported anew for each ticket.
  const algorithm = { name: "HMAC", hash: "SHA-256", length: 256 };
  return await crypto.subtle.deriveKey(parameters, secret, algorithm, false, ["sign", "verify"]);
}

export async function signTicket(key: CryptoKey, ticket: Ticket, nowMs: number): Promise<string> {
  return await new SignJWT({ task: ticket.taskId })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(ISSUER)
    .setSubject(ticket.hostId)
    .setExpirationTime(Math.floor((nowMs + TICKET_TTL_MS) / 1000))
    .sign(key);
}

/** @throws ProblemError `forbidden` when it is forged, expired or of another cluster. */
export async function verifyTicket(key: CryptoKey, token: string, nowMs: number): Promise<Ticket> {
  try {
    const options = {
      algorithms: ["HS256"],
      issuer: ISSUER,
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ["exp"],
    };
    const { payload } = await jwtVerify(token, key, options);
    const hostId = parseHostId(payload.sub ?? "");
    const taskId = parseTaskId(typeof payload.task === "string" ? payload.task : "");
    if (hostId !== undefined && taskId !== undefined) return { hostId, taskId };
    throw new ProblemError("forbidden", "The ticket names no host or no task");
  } catch (cause) {
    if (!(cause instanceof JOSEError)) throw cause;
    const expired = cause instanceof JWTExpired;
    throw new ProblemError(
      "forbidden",
      expired
        ? "The ticket has expired: announce the task to the scheduler for a new one"
        : "The ticket was not signed for this cluster",
      { cause },
    );
  }
}
