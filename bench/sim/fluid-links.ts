/** Links as fluids: in each slot of time every uplink is shared among its streams by their weights, and every downlink among its
 *  own as far as the other ends give them as much (max-min within the downlink). What a stream cannot take of its share of an
 *  uplink the others there take in the slots after, as TCP lets them. */

const FREE = -1;
/** Less is what rounding left. */
const LEAST_WEIGHT = 1e-6;
/** A stream takes no more of an uplink than so many even shares. */
const MOST_LEVELS = 100;

export interface Flow {
  readonly bytes: number;
  /** The caller's name for it. */
  readonly tag: number;
  /** Until the first byte moves. */
  readonly waitSlots: number;
  /** Bytes a millisecond that it takes at most when it begins, by default what links give; multiplied by `growth` with each slot. */
  readonly mostSpeed?: number;
  readonly growth?: number;
}

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
  /** The share of a stream beside others where it meets them, drawn anew after so many slots. */
  readonly drawWeight: () => number;
  readonly weightSlots: number;
}

export class FluidLinks {
  readonly #streamsPerNode: number;
  readonly #up: Float64Array;
  readonly #down: Float64Array;
  readonly #upStreams: Int32Array;
  /** Of those whose bytes move. */
  readonly #upWeight: Float64Array;
  /** Bytes a millisecond that a stream of weight 1 may take of the uplink of a node. */
  readonly #upLevel: Float64Array;
  /** Sent before this slot, and sent so far beyond what the link could. */
  readonly #sentBefore: Float64Array;
  readonly #upDebt: Float64Array;
  readonly #downStreams: Int32Array;
  readonly #parent: Int32Array;
  readonly #tag: Int32Array;
  readonly #left: Float64Array;
  /** Slots until the first byte moves: the round trip of the request; below 0, those since its weight was drawn. */
  readonly #wait: Int32Array;
  readonly #mostSpeed: Float32Array;
  readonly #growth: Float32Array;
  /** Slots that a stream goes on which nobody wants any more. */
  readonly #goesOn: Uint16Array;
  readonly #caps: Float64Array;
  readonly #weight: Float64Array;
  readonly #drawWeight: () => number;
  readonly #weightSlots: number;
  /** Those of the streams of `#caps`. */
  readonly #weights: Float64Array;
  readonly #zoneOf: Uint16Array;
  readonly #zoneSpeed: number;
  /** Streams that leave each zone, and that come into it. */
  readonly #outStreams: Int32Array;
  readonly #inStreams: Int32Array;
  /** Bytes each node has sent so far. */
  readonly sent: Float64Array;
  /** Bytes that came into each zone from others so far. */
  readonly intoZone: Float64Array;

  constructor({ up, down, streamsPerNode, zoneOf, zoneSpeed, drawWeight, weightSlots }: LinkSpeeds) {
    const nodes = up.length;
    this.#drawWeight = drawWeight;
    this.#weightSlots = weightSlots;
    this.#streamsPerNode = streamsPerNode;
    this.#caps = new Float64Array(streamsPerNode);
    this.#weights = new Float64Array(streamsPerNode);
    this.#weight = new Float64Array(up.length * streamsPerNode);
    this.#up = up;
    this.#down = down;
    this.#upStreams = new Int32Array(nodes);
    this.#upWeight = new Float64Array(nodes);
    this.#upLevel = new Float64Array(nodes);
    this.#sentBefore = new Float64Array(nodes);
    this.#upDebt = new Float64Array(nodes);
    this.#downStreams = new Int32Array(nodes);
    this.#parent = new Int32Array(nodes * this.#streamsPerNode).fill(FREE);
    this.#tag = new Int32Array(nodes * this.#streamsPerNode);
    this.#left = new Float64Array(nodes * this.#streamsPerNode);
    this.#wait = new Int32Array(nodes * this.#streamsPerNode);
    this.#mostSpeed = new Float32Array(nodes * this.#streamsPerNode);
    this.#growth = new Float32Array(nodes * this.#streamsPerNode);
    this.#goesOn = new Uint16Array(nodes * this.#streamsPerNode);
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

  streamsInto(node: number): number {
    return this.#downStreams[node] ?? 0;
  }

  /** @returns a number that names the stream, or `undefined` when the child has as many as it may */
  start(
    child: number,
    parent: number,
    { bytes, tag, waitSlots, mostSpeed = Number.POSITIVE_INFINITY, growth = 1 }: Flow,
  ): number | undefined {
    const first = child * this.#streamsPerNode;
    for (let at = first; at < first + this.#streamsPerNode; at++) {
      if (this.#parent[at] !== FREE) continue;
      this.#parent[at] = parent;
      this.#tag[at] = tag;
      this.#left[at] = bytes;
      this.#wait[at] = waitSlots;
      this.#mostSpeed[at] = mostSpeed;
      this.#growth[at] = growth;
      this.#goesOn[at] = 0;
      add(this.#upStreams, parent, 1);
      const weight = this.#drawWeight();
      this.#weight[at] = weight;
      if (waitSlots <= 0) add(this.#upWeight, parent, weight);
      add(this.#downStreams, child, 1);
      this.#cross(parent, child, 1);
      return at;
    }
    return undefined;
  }

  /** @param goesOnSlots how long its bytes come still, for nobody */
  stop(stream: number, goesOnSlots = 0): void {
    const parent = this.#parent[stream] ?? FREE;
    if (parent === FREE) return;
    if (goesOnSlots > 0) {
      this.#goesOn[stream] = goesOnSlots;
      return;
    }
    this.#parent[stream] = FREE;
    const child = Math.floor(stream / this.#streamsPerNode);
    add(this.#upStreams, parent, -1);
    if ((this.#wait[stream] ?? 0) <= 0) add(this.#upWeight, parent, -(this.#weight[stream] ?? 0));
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
    for (let node = 0; node < this.#upLevel.length; node++) this.#setLevel(node, ms);
  }

  /** What streams of an uplink may take in the next slot: more than an even share when some took less in this one. What they took
   *  too much of it is missing then. */
  #setLevel(node: number, ms: number): void {
    const weight = this.#upWeight[node] ?? 0;
    const sent = this.sent[node] ?? 0;
    const used = sent - (this.#sentBefore[node] ?? 0);
    this.#sentBefore[node] = sent;
    const capacity = (this.#up[node] ?? 0) * ms;
    const debt = Math.max(0, (this.#upDebt[node] ?? 0) + used - capacity);
    this.#upDebt[node] = debt;
    if (this.#upStreams[node] === 0) this.#upWeight[node] = 0;
    if (weight < LEAST_WEIGHT) {
      this.#upLevel[node] = 0;
      return;
    }
    const room = Math.max(0, capacity - debt);
    const evenLevel = room / ms / weight;
    const fullLevel = ((this.#upLevel[node] ?? 0) * room) / Math.max(1, used);
    this.#upLevel[node] = Math.max(evenLevel, Math.min(fullLevel, MOST_LEVELS * evenLevel));
  }

  /** Of a stream that moves, drawn anew when its time has come. */
  #weightOf(stream: number, parent: number, wait: number): number {
    const weight = this.#weight[stream] ?? 0;
    if (this.#weightSlots === Number.POSITIVE_INFINITY) return weight;
    this.#wait[stream] = wait - 1;
    if (1 - wait < this.#weightSlots) return weight;
    const drawn = this.#drawWeight();
    this.#wait[stream] = 0;
    this.#weight[stream] = drawn;
    add(this.#upWeight, parent, drawn - weight);
    return drawn;
  }

  /** Bytes a millisecond that a stream may take in this slot, wherever it goes. */
  #mostSpeedOf(stream: number): number {
    const speed = this.#mostSpeed[stream] ?? 0;
    this.#mostSpeed[stream] = speed * (this.#growth[stream] ?? 1);
    return speed;
  }

  /** Whether a stream that nobody wants any more has come to its end. */
  #hasGoneOn(stream: number): boolean {
    const slots = this.#goesOn[stream] ?? 0;
    if (slots === 0) return false;
    this.#goesOn[stream] = slots - 1;
    if (slots > 1) return false;
    this.stop(stream);
    return true;
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
    for (let n = 0; n < this.#streamsPerNode; n++) {
      const parent = this.#parent[first + n] ?? FREE;
      const wait = this.#wait[first + n] ?? 0;
      caps[n] = 0;
      if (parent === FREE || this.#hasGoneOn(first + n)) continue;
      if (wait > 0) {
        this.#wait[first + n] = wait - 1;
        if (wait === 1) add(this.#upWeight, parent, this.#weight[first + n] ?? 0);
        continue;
      }
      const from = this.#zoneOf[parent] ?? 0;
      const weight = this.#weightOf(first + n, parent, wait);
      this.#weights[n] = weight;
      const upShare = Math.min(
        this.#up[parent] ?? 0,
        this.#mostSpeedOf(first + n),
        weight * (this.#upLevel[parent] ?? 0),
      );
      const cap = from === to ? upShare : Math.min(upShare, this.#zoneShare(from, to));
      caps[n] = cap;
      offered += cap;
    }
    if (offered === 0) return;
    const capacity = this.#down[child] ?? 0;
    const level = offered <= capacity ? Number.POSITIVE_INFINITY : levelOf(caps, this.#weights, capacity);
    for (let n = 0; n < this.#streamsPerNode; n++) {
      const cap = caps[n] ?? 0;
      if (cap === 0) continue;
      const stream = first + n;
      const parent = this.#parent[stream] ?? FREE;
      const before = this.#left[stream] ?? 0;
      const moved = Math.min(before, Math.min(cap, level * (this.#weights[n] ?? 0)) * ms);
      this.#left[stream] = before - moved;
      this.sent[parent] = (this.sent[parent] ?? 0) + moved;
      if (this.#zoneOf[parent] !== to) this.intoZone[to] = (this.intoZone[to] ?? 0) + moved;
      if (before - moved > 0.5) continue;
      const tag = this.#tag[stream] ?? 0;
      const isWanted = this.#goesOn[stream] === 0;
      this.stop(stream);
      if (isWanted) ended(child, parent, tag, stream);
    }
  }
}

/** The level at which streams with these limits, sharing by weight, fill the capacity; those with limit 0 take nothing. */
function levelOf(caps: Float64Array, weights: Float64Array, capacity: number): number {
  let level = 0;
  for (;;) {
    let full = 0;
    let openWeight = 0;
    for (let n = 0; n < caps.length; n++) {
      const cap = caps[n] ?? 0;
      const weight = weights[n] ?? 0;
      if (cap === 0) continue;
      if (cap <= level * weight) full += cap;
      else openWeight += weight;
    }
    if (openWeight === 0) return level;
    const higher = (capacity - full) / openWeight;
    if (higher <= level * (1 + 1e-9)) return level;
    level = higher;
  }
}

function add(counts: Int32Array | Float64Array, at: number, difference: number): void {
  counts[at] = (counts[at] ?? 0) + difference;
}
