/** A set that can be drawn from by chance in constant time a draw. */
export class Roster<Member> {
  #members: Member[] = [];
  #places = new Map<Member, number>();

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    if (this.#places.has(member)) return;
    this.#places.set(member, this.#members.length);
    this.#members.push(member);
  }

  delete(member: Member): void {
    const place = this.#places.get(member);
    const last = this.#members.pop();
    if (place === undefined || last === undefined) {
      if (last !== undefined) this.#members.push(last);
      return;
    }
    this.#places.delete(member);
    if (last === member) return;
    this.#members[place] = last;
    this.#places.set(last, place);
  }

  has(member: Member): boolean {
    return this.#places.has(member);
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members[Symbol.iterator]();
  }

  /** `count` different members by chance, or all of them in a random order when there are fewer.
   *  @param random in [0, 1) */
  sample(count: number, random: () => number): Member[] {
    const drawn: Member[] = [];
    const moved = new Map<number, number>();
    const take = Math.min(count, this.#members.length);
    // Fisher-Yates over the first places only, on a map of what was swapped, so that the roster itself stays as it is.
    for (let at = 0; at < take; at++) {
      const other = at + Math.floor(random() * (this.#members.length - at));
      const member = this.#members[moved.get(other) ?? other];
      moved.set(other, moved.get(at) ?? at);
      if (member !== undefined) drawn.push(member);
    }
    return drawn;
  }
}
