/** Connections that wait for their next request, so that it need not open one. */
import type { HttpConnection } from "./http-connection.ts";

export interface IdleBounds {
  /** To one server, and to all. */
  readonly perServer: number;
  readonly inAll: number;
}

export class IdleConnections {
  readonly #bounds: IdleBounds;
  /** Least recently used first. */
  readonly #idle = new Set<HttpConnection>();
  #closed = false;

  constructor(bounds: IdleBounds) {
    this.#bounds = bounds;
  }

  take(origin: string): HttpConnection | undefined {
    for (const connection of this.#idle) {
      if (connection.origin !== origin) continue;
      this.#idle.delete(connection);
      return connection;
    }
    return undefined;
  }

  /** After a reply that came whole; closes what can take no other request, and what is too many. */
  keep(connection: HttpConnection): void {
    if (!connection.usable) return;
    let likewise = 0;
    for (const { origin } of this.#idle) if (origin === connection.origin) likewise++;
    if (this.#closed || likewise >= this.#bounds.perServer) {
      connection.close();
      return;
    }
    connection.rest();
    this.#idle.add(connection);
    const [oldest] = this.#idle;
    if (this.#idle.size > this.#bounds.inAll) oldest?.close();
  }

  /** It was closed. */
  readonly forget = (connection: HttpConnection): void => {
    this.#idle.delete(connection);
  };

  /** What is in use ends with its request. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle) connection.close();
  }
}
