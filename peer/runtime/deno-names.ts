/** What we use of Deno, as Deno 2.9 has it: its own types and those of Bun cannot be in one program. */

export interface DenoServer {
  readonly addr: { readonly port?: number };
  /** Settles when the server is closed, and all requests are done or cut off. */
  readonly finished: Promise<void>;
  /** Takes no more requests, and lets those under way end. */
  shutdown(): Promise<void>;
}

export interface DenoServeOptions {
  readonly hostname?: string;
  readonly port?: number;
  /** Of a unix socket. */
  readonly path?: string;
  /** Closes every connection at once. */
  readonly signal: AbortSignal;
  readonly onListen: () => void;
  readonly onError: (error: unknown) => Response;
}

/** @param completed rejects when the other side was gone before it had the whole answer */
export type DenoHandler = (request: Request, info: { readonly completed: Promise<void> }) => Promise<Response>;

export interface DenoNames {
  /** Listens before it returns. @throws an error with the `code` of the system */
  serve(options: DenoServeOptions, handler: DenoHandler): DenoServer;
  dlopen<Name extends string>(
    library: string,
    symbols: Readonly<Record<Name, { readonly parameters: readonly string[]; readonly result: string }>>,
  ): {
    readonly symbols: Readonly<Record<Name, (...parameters: readonly (number | Uint8Array)[]) => number>>;
    close(): void;
  };
}

/** Absent on Bun. */
export const denoNames: DenoNames | undefined = (globalThis as { readonly Deno?: DenoNames }).Deno;

/** @throws Error on Bun */
export function deno(): DenoNames {
  if (denoNames === undefined) throw new Error("This part of the peer runs on Deno alone");
  return denoNames;
}
