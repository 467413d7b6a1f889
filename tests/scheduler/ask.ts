/** Questions to the scheduler over HTTP. */
import type { Problem } from "../../schema/problem.ts";
import { decodeSchedulerFrame, encodePeerFrame, MSGPACK_TYPE } from "../../schema/wire/codec.ts";
import type { PeerMessage } from "../../schema/wire/peer-message.ts";
import type { SchedulerMessage } from "../../schema/wire/scheduler-message.ts";
import type { Home } from "./home.ts";

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The JSON of a query that succeeds. */
export async function query<T>(home: Home, path: string): Promise<T> {
  const response = await home.fetch(path, { headers: bearer(home.token) });
  if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Status and code of an answer that is a problem. */
export async function refusal(response: Response): Promise<{ status: number; code: string }> {
  const { code, message, detail } = (await response.json()) as Problem;
  if (typeof message !== "string" || typeof detail !== "object") throw new Error(`This is no problem: ${code}`);
  return { status: response.status, code };
}

export async function postFrame(home: Home, shard: number, body: BodyInit, type = MSGPACK_TYPE): Promise<Response> {
  const headers = { ...bearer(home.token), "Content-Type": type };
  return await home.fetch(`/v1/shards/${shard}/messages`, { method: "POST", headers, body });
}

/** One POSTed batch, and what it is answered with. */
export async function exchange(home: Home, shard: number, messages: PeerMessage[]): Promise<SchedulerMessage[]> {
  const response = await postFrame(home, shard, encodePeerFrame(messages));
  if (response.status !== 200) throw new Error(`POST of messages: ${response.status} ${await response.text()}`);
  return decodeSchedulerFrame(new Uint8Array(await response.arrayBuffer()));
}
