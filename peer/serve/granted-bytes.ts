/** What this host granted to each child and has not handed over: a child may say less than it has on its way. */
import type { HostId } from "../../schema/ids.ts";

interface Grant {
  readonly request: Request;
  readonly bytes: number;
}

/** Fewer grants than this are remembered until their children come again: more than a host sends at a time. */
const FEW = 256;

export class GrantedBytes {
  readonly #isUnderWay: (request: Request) => boolean;
  readonly #grants = new Map<HostId, Grant[]>();
  #count = 0;
  /** Those that are over are looked for among so many. */
  #most = FEW;

  /** @param isUnderWay whether the answer to a request has not been handed to the system to its last byte */
  constructor(isUnderWay: (request: Request) => boolean) {
    this.#isUnderWay = isUnderWay;
  }

  add(child: HostId, request: Request, bytes: number): void {
    const grants = this.#grants.get(child) ?? [];
    grants.push({ request, bytes });
    this.#grants.set(child, grants);
    this.#count++;
    if (this.#count <= this.#most) return;
    for (const other of [...this.#grants.keys()]) this.#forgetOver(other);
    this.#most = Math.max(FEW, 2 * this.#count);
  }

  /** Grants that are remembered, over or not. */
  get count(): number {
    return this.#count;
  }

  /** Of one child. Counts each grant as a whole until all of it is handed over. */
  outstanding(child: HostId): number {
    let bytes = 0;
    for (const grant of this.#forgetOver(child)) bytes += grant.bytes;
    return bytes;
  }

  #forgetOver(child: HostId): readonly Grant[] {
    const grants = this.#grants.get(child) ?? [];
    const left = grants.filter(({ request }) => this.#isUnderWay(request));
    this.#count -= grants.length - left.length;
    if (left.length > 0) this.#grants.set(child, left);
    else this.#grants.delete(child);
    return left;
  }
}
