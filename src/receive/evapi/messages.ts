/** Between the main thread and the thread that holds the connections. */

/** What the thread gets when it starts. */
export interface LineOptions {
  readonly nodes: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  /** Two counters, see `SHARED`. */
  readonly shared: SharedArrayBuffer;
}

/** Indices into the shared counters. */
export const SHARED = {
  /** Frames that the main thread has handled (wraps). */
  handled: 0,
  /** Frames that were dropped because the main thread was behind. */
  dropped: 1,
} as const;
export const SHARED_BYTES = 8;

/** To the thread: bytes for a server, exactly as they are written. */
export interface ToLine {
  readonly node: number;
  readonly bytes: Uint8Array;
}

/** From the thread. */
export type FromLine =
  | { readonly kind: 'frames'; readonly frames: readonly Uint8Array[] }
  | { readonly kind: 'up'; readonly node: number }
  /** `reason`: a drop counter */
  | { readonly kind: 'down'; readonly node: number; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string };
