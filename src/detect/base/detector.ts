import type { z } from 'zod';
import type { Facts, Finding, Outcome, Request } from '../../model/index.ts';

/** Size of a bounded table and how many entries it had to forget for lack of room. */
export interface TableStats {
  readonly size: number;
  readonly evicted: number;
}

/** One way of noticing an attack. Time is `event.at`: same events, same findings. */
export interface Detector {
  readonly id: string;
  detect(event: Request | Outcome, facts: Facts): readonly Finding[];
  tables(): Readonly<Record<string, TableStats>>;
}

/** What every detector file exports: its name, its settings with defaults, and how to build it. */
export interface DetectorKind<Schema extends z.ZodType> {
  readonly id: string;
  readonly configSchema: Schema;
  create(config: z.output<Schema>): Detector;
}

export const NO_FINDINGS: readonly Finding[] = [];
