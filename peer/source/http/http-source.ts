/** Files on web servers, with the caller's own headers. */
import { Buffer } from "node:buffer";
import { formatRange } from "../../../schema/byte-range.ts";
import { ProblemError } from "../../../schema/problem.ts";
import { signatureProfilesOf } from "../../../schema/signature-profile.ts";
import { canonicalLocation, displayUrl } from "../../../schema/source-location.ts";
import type { SourceRequest } from "../../../schema/wire/pull.ts";
import { callerHeaders } from "../caller-headers.ts";
import type { DriverComponents, SourceDriver } from "../driver.ts";
import { readRange } from "../read-range.ts";
import type { OpenSourceOptions, Source } from "../source.ts";
import type { SourceIo } from "../source-io.ts";
import type { SourceTransport } from "../source-transport.ts";
import { statSource } from "../stat-source.ts";
import { fetchFollowing } from "./follow-redirects.ts";

export function httpDriver({ io }: DriverComponents): SourceDriver {
  return {
    schemes: ["http", "https"],
    open: async (request, options) => {
      const url = URL.parse(request.url);
      // The text is not repeated: it may hold a password.
      if (url === null || url.hostname === "") {
        throw new ProblemError(
          "bad-request",
          "The URL of the source is broken. Write a whole one, such as https://host/path",
        );
      }
      return openHttpSource(url, request, io, options);
    },
  };
}

/** User info in the URL becomes an `Authorization` header, unless the caller gave one.
 *  @throws ProblemError `bad-request` for headers that cannot be passed on. */
function openHttpSource(given: URL, request: SourceRequest, io: SourceIo, options: OpenSourceOptions = {}): Source {
  const { guard, statAttempts: attempts = io.policy.attempts, withReply = false } = options;
  const headers = callerHeaders(request.headers);
  const url = withoutUserInfo(given, headers);
  const filtered = request.filteredQueryParams;
  const transport: SourceTransport = {
    displayUrl: displayUrl(url),
    headAllowed: !signatureProfilesOf(url.searchParams.keys()).some((profile) => profile.coversMethod),
    encodingIsLabel: false,
    forbiddenRemedy: "Check the rights behind the URL or the headers; a signed URL may have expired",
    send: ({ method, range, signal }) => {
      const ownHeaders = new Headers(range === undefined ? undefined : { range: formatRange(range) });
      return fetchFollowing(io.fetch, { url, method, callerHeaders: headers, ownHeaders, signal, guard });
    },
  };
  return {
    location: canonicalLocation(url, filtered === undefined ? {} : { filteredQueryParams: filtered }),
    displayUrl: transport.displayUrl,
    portableRequest: request,
    stat: async (signal) => {
      const seen = withReply ? watchReplies(transport) : { transport, reply: () => undefined };
      const stat = await statSource(seen.transport, { ...io, policy: { ...io.policy, attempts } }, signal);
      const reply = seen.reply();
      return reply === undefined ? stat : { ...stat, reply };
    },
    read: (range, readOptions) => readRange(transport, io, range, readOptions),
  };
}

/** The same, and the headers of the last reply that told of the content. */
function watchReplies(transport: SourceTransport) {
  let last: Headers | undefined;
  const send: SourceTransport["send"] = async (request) => {
    const response = await transport.send(request);
    if (response.status === 200 || response.status === 206) last = response.headers;
    return response;
  };
  return { transport: { ...transport, send }, reply: () => last };
}

function withoutUserInfo(given: URL, headers: Headers): URL {
  const url = new URL(given);
  url.username = "";
  url.password = "";
  url.hash = "";
  if ((given.username !== "" || given.password !== "") && !headers.has("authorization")) {
    const userInfo = `${decoded(given.username)}:${decoded(given.password)}`;
    headers.set("authorization", `Basic ${Buffer.from(userInfo).toString("base64")}`);
  }
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
