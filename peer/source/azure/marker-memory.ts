/** Azure goes on with a listing behind its own markers alone. Who only knows the last name of a page, as clients of the first
 *  version of S3 do, would have it listed from its start again: this remembers which marker was behind which name. */

import { keepLatest } from "../../core/keep-latest.ts";

const MAX_REMEMBERED = 1000;

/** One listing: of this container, prefix and delimiter. */
export type ListingId = readonly [containerUrl: string, prefix: string, delimiter: string | undefined];

/** Bounded; what was used longest ago is forgotten first. */
export class MarkerMemory {
  readonly #markers = new Map<string, string>();

  remember(listing: ListingId, lastName: string, marker: string): void {
    keepLatest(this.#markers, idOf(listing, lastName), marker, MAX_REMEMBERED);
  }

  /** What goes on right behind that name, when a page of the same listing ended with it. */
  after(listing: ListingId, name: string): string | undefined {
    const marker = this.#markers.get(idOf(listing, name));
    if (marker !== undefined) this.remember(listing, name, marker);
    return marker;
  }
}

function idOf(listing: ListingId, name: string): string {
  return JSON.stringify([...listing, name]);
}
