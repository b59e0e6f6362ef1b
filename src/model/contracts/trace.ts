import type { Credentials, Standing } from '../request.ts';
import type { ProofTier, Transport } from '../source.ts';
import type { EpochMs } from '../time.ts';
import type { Answer, SourceState } from '../verdict.ts';

/** One judged request or outcome of a traced source, also when it changed nothing. */
export interface TraceEvent {
  readonly at: EpochMs;
  readonly node: string;
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport;
  readonly tier: ProofTier;
  /** `REGISTER`, `auth wrong-password`, `registered`, `reply 404`, `parse-error` … may quote attacker's text. */
  readonly what: string;
  /** User part of From, or of the credentials. Attacker's text. */
  readonly user: string;
  /** User part of the Request-URI. Attacker's text. */
  readonly target: string;
  /** Attacker's text. */
  readonly userAgent: string;
  /** How the request is built, `w1-` and eight hex digits; empty for outcomes. */
  readonly wire: string;
  /** The tool of a pack that builds so, or empty. */
  readonly tool: string;
  readonly credentials: Credentials | '';
  /** What the server took the sender for when it consulted us. */
  readonly standing: Standing | '';
  readonly state: SourceState;
  /** Empty for outcomes. */
  readonly answer: Answer | '';
  readonly reason: string;
  readonly findings: readonly { readonly rule: string; readonly points: number; readonly evidence: string }[];
  /** `ban`, `quarantine`, `lift good` … */
  readonly changes: readonly string[];
  /** Running score after it. */
  readonly score: { readonly proven: number; readonly spoofable: number };
}
