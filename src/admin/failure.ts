import { ZodError, z } from 'zod';
import { CompanionError } from '../model/index.ts';
import type { ErrorCode } from '../model/index.ts';
import { RPC_CODES } from '../protocol/index.ts';

/** A refusal as it goes over the wire: JSON-RPC's number, our stable code, a sentence. */
export interface Failure {
  readonly rpc: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Anything that was thrown, as a refusal. Bugs are named INTERNAL; their text stays in the log, not on the wire. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof CompanionError) return { rpc: RPC_CODES.failed, code: error.code, message: error.message };
  if (error instanceof ZodError) {
    const [first] = error.issues;
    const path = first === undefined ? '' : z.core.toDotPath(first.path);
    const message = `The parameters were not understood: ${path === '' ? '' : `${path}: `}${first?.message ?? 'unknown problem'}.`;
    return { rpc: RPC_CODES.params, code: 'REQUEST_INVALID', message };
  }
  return {
    rpc: RPC_CODES.internal,
    code: 'INTERNAL',
    message: 'A bug in companion: the request failed inside. See its log.',
  };
};

/**
 * The result of the work, or CompanionError INTERNAL when it takes longer than `ms` milliseconds. The work itself
 * cannot be stopped; its late result is ignored.
 */
export const withDeadline = async <T>(work: Promise<T>, ms: number, doing: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new CompanionError('INTERNAL', `Companion did not finish '${doing}' within ${ms} ms.`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
