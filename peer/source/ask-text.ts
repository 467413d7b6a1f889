/** Asks a store for a document, such as a page of a listing: the whole of it, with tries as for content. */
import { Attempt } from "./attempt.ts";
import { readBounded } from "./read-bounded.ts";
import { Retries } from "./retries.ts";
import type { SourceIo } from "./source-io.ts";
import { replyFailure, sourceProblem } from "./source-problem.ts";
import type { SourceTransport } from "./source-transport.ts";

export interface TextRequest extends Pick<SourceTransport, "displayUrl" | "forbiddenRemedy"> {
  /** Sends one request, and gives the reply whatever its status is. */
  readonly send: (signal: AbortSignal) => Promise<Response>;
  /** Longest document that is believed. */
  readonly limitBytes: number;
}

export interface TextReply {
  readonly text: string;
  readonly headers: Headers;
}

/** @throws ProblemError as `Source.stat`; `source-lied` for a document that is too long. */
export async function askText(request: TextRequest, io: SourceIo, signal: AbortSignal): Promise<TextReply> {
  const retries = new Retries(io, signal);
  for (;;) {
    try {
      return await askOnce(request, io, signal);
    } catch (error) {
      await retries.after(error);
    }
  }
}

async function askOnce(request: TextRequest, io: SourceIo, signal: AbortSignal): Promise<TextReply> {
  const { displayUrl, limitBytes } = request;
  const attempt = new Attempt(signal, io.policy.stallTimeoutMs, displayUrl);
  try {
    const response = await attempt.wait(request.send(attempt.signal));
    if (response.status !== 200) throw await attempt.wait(replyFailure(response, request, io.nowMs()));
    const bytes = await attempt.wait(readBounded(response, limitBytes + 1));
    if (bytes.length > limitBytes) {
      throw sourceProblem("source-lied", displayUrl, `the source answered more than ${limitBytes} bytes`, "Check it");
    }
    return { text: new TextDecoder().decode(bytes), headers: response.headers };
  } finally {
    attempt.close();
  }
}
