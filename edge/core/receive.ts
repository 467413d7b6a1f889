/** One message of one host, folded into the swarm: docs/protocol.md, "Channel". */
import type { HostId, TaskId } from "../../schema/ids.ts";
import type { PeerMessage, PeerMessageOf } from "../../schema/wire/peer-message.ts";
import { announce } from "./announce.ts";
import type { Host, Via } from "./host.ts";
import { returnLeases } from "./leases.ts";
import type { Peer } from "./peer.ts";
import type { Policy } from "./policy.ts";
import { goOffline, greet, loseChannel } from "./presence.ts";
import { fault, finish, progress } from "./progress.ts";
import { endTurn } from "./settle.ts";
import type { Swarm } from "./swarm.ts";
import { askResync, beginTurn, type Outcome, type Turn } from "./turn.ts";

const NOTHING: Outcome = Object.freeze({ changes: [], outgoing: [] });

/** Never throws on a message that fits the schema: what makes no sense is answered, or ignored.
 *  @param hostId whose channel it came by
 *  @param random in [0, 1)
 *  @param via how the host is reached, which matters for `hello` */
export function receive(
  swarm: Swarm,
  hostId: HostId,
  message: PeerMessage,
  policy: Policy,
  nowMs: number,
  random: () => number,
  via: Via = "channel",
): Outcome {
  const host = swarm.hosts.get(hostId);
  // Half of all that a busy shard hears: nothing follows from it.
  if (message.type === "heartbeat" && host !== undefined && host.presence !== "offline") {
    host.lastSeenAtMs = nowMs;
    host.load = message.load;
    return NOTHING;
  }
  const turn = beginTurn(swarm, policy, nowMs, random);
  if (message.type === "hello") hello(turn, message, via);
  else dispatch(turn, hostId, message);
  return endTurn(turn);
}

/** The channel of a host was lost. */
export function disconnect(swarm: Swarm, hostId: HostId, policy: Policy, nowMs: number, random: () => number): Outcome {
  const turn = beginTurn(swarm, policy, nowMs, random);
  const host = swarm.hosts.get(hostId);
  if (host !== undefined) loseChannel(turn, host);
  return endTurn(turn);
}

function hello(turn: Turn, { host: info }: Extract<PeerMessage, { type: "hello" }>, via: Via): void {
  const { swarm, policy } = turn;
  if (swarm.hosts.has(info.hostId) || swarm.hosts.size < policy.maxHosts) {
    greet(turn, info, via);
    return;
  }
  const message = `This shard knows ${swarm.hosts.size} hosts, as many as it may: use more shards`;
  swarm.tallies.messagesRefused["too-many-requests"]++;
  const problem = { code: "too-many-requests", message, detail: {} } as const;
  turn.outgoing.push({ hostId: info.hostId, message: { type: "error", problem } });
}

function dispatch(turn: Turn, hostId: HostId, message: Exclude<PeerMessage, { type: "hello" }>): void {
  const host = turn.swarm.hosts.get(hostId);
  if (host === undefined || host.presence === "offline") {
    askResync(turn, hostId);
    return;
  }
  host.lastSeenAtMs = turn.nowMs;
  switch (message.type) {
    case "heartbeat":
      return;
    case "announce":
      announce(turn, host, message);
      return;
    case "bye":
      goOffline(turn, host);
      return;
    case "progress":
      withPeer(turn, host, message.taskId, (peer) => progress(turn, peer, message));
      return;
    case "return-leases":
      withPeer(turn, host, message.taskId, (peer) => {
        turn.touched.add(peer.task);
        returnLeases(turn, peer, message.leaseIds, message.problem);
      });
      return;
    case "fault":
      withPeer(turn, host, message.taskId, (peer) => fault(turn, peer, message));
      return;
    case "finish":
      end(turn, host, message);
      return;
    default:
      message satisfies never;
  }
}

function end(turn: Turn, host: Host, message: PeerMessageOf<"finish">): void {
  const peer = partOf(turn, host, message.taskId);
  const isLeft = message.state === "left";
  // Nothing is left of what was never known: an empty task, say, that its host never announced.
  if (peer === undefined && isLeft) return;
  // What kept it from taking part is gone.
  if (peer !== undefined && !peer.present && peer.state === "failed" && isLeft) finish(turn, peer, message);
  else withPeer(turn, host, message.taskId, (known) => finish(turn, known, message));
}

/** A host whose part is not known must state it anew. One whose part is over said so, or was told so, and what still comes
 *  was sent before; one that is about to state its part will say it all. */
function withPeer(turn: Turn, host: Host, taskId: TaskId, act: (peer: Peer) => void): void {
  const peer = partOf(turn, host, taskId);
  const isOver = peer?.state === "left" || peer?.state === "failed";
  if (peer?.present && peer.stated) act(peer);
  else if (peer === undefined || !(peer.present || isOver)) askResync(turn, host.info.hostId);
}

function partOf(turn: Turn, host: Host, taskId: TaskId): Peer | undefined {
  return turn.swarm.tasks.get(taskId)?.peers.get(host.info.hostId);
}
