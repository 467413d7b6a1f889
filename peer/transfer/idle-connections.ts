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
  /** The same by server, the latest last. */
  readonly #toServer = new Map<string, HttpConnection[]>();
  #closed = false;

  constructor(bounds: IdleBounds) {
    this.#bounds = bounds;
  }

  take(origin: string): HttpConnection | undefined {
    const connection = this.#toServer.get(origin)?.at(-1);
    if (connection !== undefined) this.forget(connection);
    return connection;
  }

  /** After a reply that came whole; closes what can take no other request, and what is too many. */
  keep(connection: HttpConnection): void {
    if (!connection.usable) return;
    const likewise = this.#toServer.get(connection.origin) ?? [];
    if (this.#closed || likewise.length >= this.#bounds.perServer) {
      connection.close();
      return;
    }
    connection.rest();
    this.#idle.add(connection);
    this.#toServer.set(connection.origin, likewise);
    likewise.push(connection);
    const [oldest] = this.#idle;
    if (this.#idle.size > this.#bounds.inAll) oldest?.close();
  }

  /** It was closed, or is in use. */
  readonly forget = (connection: HttpConnection): void => {
    if (!this.#idle.delete(connection)) return;
    const likewise = this.#toServer.get(connection.origin) ?? [];
    likewise.splice(likewise.indexOf(connection), 1);
    if (likewise.length === 0) this.#toServer.delete(connection.origin);
  };

  /** What is in use ends with its request. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle) connection.close();
  }
}
