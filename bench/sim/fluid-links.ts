/** Links as fluids: in each slot of time every uplink is shared evenly among its streams, and every downlink among its own
 *  as far as the other ends give them as much (max-min within the downlink). What a downlink cannot take of its share of an
 *  uplink is lost to the others there, which TCP would do better: about 2 % in a mesh of equal links. */

const FREE = -1;

export interface LinkSpeeds {
  /** Of every node, bytes a millisecond. */
  readonly up: Float64Array;
  readonly down: Float64Array;
  /** Streams into one node at most. */
  readonly streamsPerNode: number;
  /** Of every node, numbered from 0. */
  readonly zoneOf: Uint16Array;
  /** Of the link between each further zone and the first one, each way, bytes a millisecond. */
  readonly zoneSpeed: number;
}

export class FluidLinks {
  readonly #streamsPerNode: number;
  readonly #up: Float64Array;
  readonly #down: Float64Array;
  readonly #upStreams: Int32Array;
  readonly #downStreams: Int32Array;
  readonly #parent: Int32Array;
  readonly #tag: Int32Array;
  readonly #left: Float64Array;
  /** Slots until the first byte moves: the round trip of the request. */
  readonly #wait: Int32Array;
  readonly #caps: Float64Array;
  readonly #zoneOf: Uint16Array;
  readonly #zoneSpeed: number;
  /** Streams that leave each zone, and that come into it. */
  readonly #outStreams: Int32Array;
  readonly #inStreams: Int32Array;
  /** Bytes each node has sent so far. */
  readonly sent: Float64Array;
  /** Bytes that came into each zone from others so far. */
  readonly intoZone: Float64Array;

  constructor({ up, down, streamsPerNode, zoneOf, zoneSpeed }: LinkSpeeds) {
    const nodes = up.length;
    this.#streamsPerNode = streamsPerNode;
    this.#caps = new Float64Array(streamsPerNode);
    this.#up = up;
    this.#down = down;
    this.#upStreams = new Int32Array(nodes);
    this.#downStreams = new Int32Array(nodes);
    this.#parent = new Int32Array(nodes * this.#streamsPerNode).fill(FREE);
    this.#tag = new Int32Array(nodes * this.#streamsPerNode);
    this.#left = new Float64Array(nodes * this.#streamsPerNode);
    this.#wait = new Int32Array(nodes * this.#streamsPerNode);
    this.sent = new Float64Array(nodes);
    const zones = 1 + zoneOf.reduce((most, zone) => Math.max(most, zone), 0);
    this.#zoneOf = zoneOf;
    this.#zoneSpeed = zoneSpeed;
    this.#outStreams = new Int32Array(zones);
    this.#inStreams = new Int32Array(zones);
    this.intoZone = new Float64Array(zones);
  }

  streamsFrom(node: number): number {
    return this.#upStreams[node] ?? 0;
  }

  /** @returns a number that names the stream, or `undefined` when the child has as many as it may */
  start(child: number, parent: number, bytes: number, tag: number, waitSlots: number): number | undefined {
    const first = child * this.#streamsPerNode;
    for (let at = first; at < first + this.#streamsPerNode; at++) {
      if (this.#parent[at] !== FREE) continue;
      this.#parent[at] = parent;
      this.#tag[at] = tag;
      this.#left[at] = bytes;
      this.#wait[at] = waitSlots;
      add(this.#upStreams, parent, 1);
      add(this.#downStreams, child, 1);
      this.#cross(parent, child, 1);
      return at;
    }
    return undefined;
  }

  stop(stream: number): void {
    const parent = this.#parent[stream] ?? FREE;
    if (parent === FREE) return;
    this.#parent[stream] = FREE;
    const child = Math.floor(stream / this.#streamsPerNode);
    add(this.#upStreams, parent, -1);
    add(this.#downStreams, child, -1);
    this.#cross(parent, child, -1);
  }

  #cross(parent: number, child: number, difference: number): void {
    const from = this.#zoneOf[parent] ?? 0;
    const to = this.#zoneOf[child] ?? 0;
    if (from === to) return;
    add(this.#outStreams, from, difference);
    add(this.#inStreams, to, difference);
  }

  /** Share of the links between two zones that one stream has. The first zone is where those links meet. */
  #zoneShare(from: number, to: number): number {
    const out = from === 0 ? 0 : (this.#outStreams[from] ?? 0);
    const into = to === 0 ? 0 : (this.#inStreams[to] ?? 0);
    return this.#zoneSpeed / Math.max(1, out, into);
  }

  /** Bytes a stream has still to bring. */
  left(stream: number): number {
    return this.#left[stream] ?? 0;
  }

  /** Moves all streams by `ms`; those that came to their end are given to `ended` with what is left over of the time as
   *  bytes, and stopped. The order is that of children. */
  move(ms: number, ended: (child: number, parent: number, tag: number, stream: number) => void): void {
    for (let child = 0; child < this.#downStreams.length; child++) {
      if ((this.#downStreams[child] ?? 0) > 0) this.#moveInto(child, ms, ended);
    }
  }

  #moveInto(
    child: number,
    ms: number,
    ended: (child: number, parent: number, tag: number, stream: number) => void,
  ): void {
    const first = child * this.#streamsPerNode;
    const caps = this.#caps;
    const to = this.#zoneOf[child] ?? 0;
    let offered = 0;
    let flowing = 0;
    for (let n = 0; n < this.#streamsPerNode; n++) {
      const parent = this.#parent[first + n] ?? FREE;
      const wait = this.#wait[first + n] ?? 0;
      caps[n] = 0;
      if (parent === FREE) continue;
      if (wait > 0) {
        this.#wait[first + n] = wait - 1;
        continue;
      }
      const from = this.#zoneOf[parent] ?? 0;
      const upShare = (this.#up[parent] ?? 0) / (this.#upStreams[parent] ?? 1);
      const cap = from === to ? upShare : Math.min(upShare, this.#zoneShare(from, to));
      caps[n] = cap;
      offered += cap;
      flowing++;
    }
    if (flowing === 0) return;
    const capacity = this.#down[child] ?? 0;
    const level = offered <= capacity ? Number.POSITIVE_INFINITY : levelOf(caps, capacity, flowing);
    for (let n = 0; n < this.#streamsPerNode; n++) {
      const cap = caps[n] ?? 0;
      if (cap === 0) continue;
      const stream = first + n;
      const parent = this.#parent[stream] ?? FREE;
      const before = this.#left[stream] ?? 0;
      const moved = Math.min(before, Math.min(cap, level) * ms);
      this.#left[stream] = before - moved;
      this.sent[parent] = (this.sent[parent] ?? 0) + moved;
      if (this.#zoneOf[parent] !== to) this.intoZone[to] = (this.intoZone[to] ?? 0) + moved;
      if (before - moved > 0.5) continue;
      const tag = this.#tag[stream] ?? 0;
      this.stop(stream);
      ended(child, parent, tag, stream);
    }
  }
}

/** The level at which streams with these limits fill the capacity; those with limit 0 take nothing. */
function levelOf(caps: Float64Array, capacity: number, flowing: number): number {
  let level = capacity / flowing;
  for (;;) {
    let small = 0;
    let smallCount = 0;
    for (const cap of caps) {
      if (cap === 0 || cap > level) continue;
      small += cap;
      smallCount++;
    }
    if (smallCount === flowing) return level;
    const higher = (capacity - small) / (flowing - smallCount);
    if (higher <= level * (1 + 1e-9)) return higher;
    level = higher;
  }
}

function add(counts: Int32Array, at: number, difference: number): void {
  counts[at] = (counts[at] ?? 0) + difference;
}
