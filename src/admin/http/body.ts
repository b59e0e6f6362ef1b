import type { Context } from 'hono';
import { CompanionError } from '../../model/index.ts';
import type { Env } from './reply.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A query knows text only: `bound=true` is meant as in JSON. Numbers are the schemas' business. */
const typedQuery = (query: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      value === 'true' || value === 'false' ? value === 'true' : value,
    ]),
  );

/** @throws CompanionError REQUEST_INVALID when the client went away, or was too slow, before its body was whole */
const whole = async <T>(c: Context<Env>, reading: Promise<T>): Promise<T> => {
  try {
    return await reading;
  } catch (error) {
    if (c.env.incoming.complete) throw error;
    throw new CompanionError('REQUEST_INVALID', 'The body did not arrive whole.', { cause: error });
  }
};

/**
 * The body as a JSON object, whatever its declared type (curl -d says "form"); nothing at all is `{}`.
 * @param sip takes `message/sip` as well: the body is the message, the query says the rest
 */
export const readBody = async (c: Context<Env>, sip = false): Promise<Readonly<Record<string, unknown>>> => {
  if (sip && /^message\/sip\b/i.test(c.req.header('content-type') ?? ''))
    return {
      ...typedQuery(c.req.query()),
      message_base64: Buffer.from(await whole(c, c.req.arrayBuffer())).toString('base64'),
    };
  const text = await whole(c, c.req.text());
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CompanionError('REQUEST_INVALID', `The body is not JSON: it begins with '${text.slice(0, 20)}'.`);
  }
  if (isObject(value)) return value;
  throw new CompanionError('REQUEST_INVALID', 'The body must be a JSON object.');
};
