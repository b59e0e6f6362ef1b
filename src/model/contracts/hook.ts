import type { AuthResult } from '../outcome.ts';
import type { Credentials, Standing } from '../request.ts';
import type { Transport } from '../source.ts';
import type { Answer } from '../verdict.ts';

/** Where a message came from, as a program says. */
export interface GivenSource {
  /** Name of the SIP server that saw it. */
  readonly node: string;
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport;
}

/** A request, as a program hands it over. */
export interface GivenRequest extends GivenSource {
  readonly message: Buffer;
  readonly credentials: Credentials;
  readonly standing: Standing;
}

/** What became of a request, as a program says. `bound`: only who receives at that address could have brought it about. */
export type GivenOutcome = GivenSource & { readonly bound: boolean } & (
    | {
        readonly type: 'auth';
        readonly result: AuthResult;
        readonly method: string;
        readonly user: string;
        readonly claimed: string;
        readonly callId: string;
      }
    | { readonly type: 'registered'; readonly user: string; readonly expiresSeconds: number }
    | {
        readonly type: 'reply';
        readonly code: number;
        readonly method: string;
        readonly user: string;
        readonly target: string;
        readonly callId: string;
      }
    | { readonly type: 'garbage'; readonly message: Buffer }
  );

/** The hook for programs that speak HTTP; its tokens are checked before. All throw CompanionError REQUEST_INVALID. */
export interface HookDesk {
  decide(given: GivenRequest): Answer;
  tell(given: GivenRequest): void;
  report(given: GivenOutcome): void;
  /** A frame of a server whose transport is `http`. @returns the answer to an ask */
  frame(bytes: Buffer): Answer | undefined;
}
