import { z } from 'zod';
import type { DecisionEvent, Operations, TraceEvent } from '../../model/index.ts';
import { ip, none } from './parameters.ts';
import type { Scope } from './route.ts';
import { decisionShape, traceShape } from './shapes.ts';

/** A question that is answered with events until the asker goes away. */
export interface Stream {
  readonly method: string;
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  /** Name of each event: of the JSON-RPC notification, and of the server-sent event. */
  readonly event: string;
  /** @returns the function that ends it @throws ZodError, CompanionError */
  readonly open: (operations: Operations, params: unknown, send: (event: object) => void) => () => void;
}

const tracing = z.strictObject({ ip });

export const STREAMS: readonly Stream[] = [
  {
    method: 'watch',
    path: '/v1/events',
    scope: 'read',
    summary: 'Every decision as it is made',
    input: none,
    output: decisionShape,
    event: 'decision',
    open: (operations, params, send) => {
      none.parse(params);
      return operations.watch((event: DecisionEvent) => send(event));
    },
  },
  {
    method: 'trace',
    path: '/v1/trace/{ip}',
    scope: 'read',
    summary: 'Everything that is judged of one source, also what changes nothing',
    input: tracing,
    output: traceShape,
    event: 'trace',
    open: (operations, params, send) => operations.trace(tracing.parse(params).ip, (event: TraceEvent) => send(event)),
  },
];
