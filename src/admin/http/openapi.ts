import { z } from 'zod';
import { HOOK_ROUTES, ROUTES, STREAMS } from '../routes/index.ts';
import type { Route, Scope, Stream } from '../routes/index.ts';
import { KEY_SCHEME, publishedPaths } from './published-paths.ts';

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

const schemaOf = (type: z.ZodType, io: 'input' | 'output'): object => {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return schema;
};

const REFUSAL = {
  description: 'Refused; `code` is stable, `message` a sentence',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
};

/** The message alone; source and the rest are in the query. */
const SIP_BODY = { 'message/sip': { schema: { type: 'string', format: 'binary' } } };

const answerOf = ({ paged, output }: Route): object => {
  const schema = schemaOf(output, 'output');
  if (!paged) return schema;
  const properties = { rows: { type: 'array', items: schema }, total: { type: 'integer' } };
  return { type: 'object', properties, required: ['rows', 'total'] };
};

/** What is in the path, what is in the query, what is left for the body. The author is always the token's name. */
const asked = (path: string, verb: Route['verb'], input: z.ZodType, scope: Scope): object => {
  const { properties = {}, required = [] } = schemaOf(input, 'input') as ObjectSchema;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const rest = Object.entries(properties).filter(([name]) => name !== 'author' && !inPath.includes(name));
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
    ...(verb === 'POST' ? [] : rest.map(([name, schema]) => ({ name, in: 'query', required: false, schema }))),
  ];
  if (verb !== 'POST' || rest.length === 0) return { parameters };
  const needed = required.filter((name) => rest.some(([known]) => known === name));
  const schema = {
    type: 'object',
    properties: Object.fromEntries(rest),
    required: needed,
    additionalProperties: false,
  };
  const content = { 'application/json': { schema }, ...(scope === 'hook' ? SIP_BODY : {}) };
  return { parameters, requestBody: { required: needed.length > 0, content } };
};

const operation = (route: Route): object => ({
  operationId: route.method,
  summary: route.summary,
  description: `Needs the scope \`${route.scope}\`.`,
  security: [{ token: [] }],
  ...asked(route.path, route.verb, route.input, route.scope),
  responses: {
    '200': { description: 'Done', content: { 'application/json': { schema: answerOf(route) } } },
    default: REFUSAL,
  },
});

const streamOperation = (stream: Stream): object => ({
  operationId: stream.method,
  summary: stream.summary,
  description: `Server-sent events named \`${stream.event}\`, their data as described; \`dropped {count}\` where the reader was too slow. Needs the scope \`${stream.scope}\`.`,
  security: [{ token: [] }],
  ...asked(stream.path, 'GET', stream.input, stream.scope),
  responses: {
    '200': { description: 'Events', content: { 'text/event-stream': { schema: schemaOf(stream.output, 'output') } } },
    default: REFUSAL,
  },
});

let made: object | undefined;

/** The description of all paths in OpenAPI 3.1, `/v1` out of the table of routes; made when it is first asked for. */
export const openApi = (): object => {
  if (made !== undefined) return made;
  const paths: Record<string, Record<string, object>> = { ...publishedPaths(REFUSAL) };
  for (const route of [...ROUTES, ...HOOK_ROUTES] as readonly Route[])
    (paths[route.path] ??= {})[route.verb.toLowerCase()] = operation(route);
  for (const stream of STREAMS) (paths[stream.path] ??= {})['get'] = streamOperation(stream);
  const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
  made = {
    openapi: '3.1.0',
    info: { title: 'Companion', version: '1', description: 'What the command `companion` can do, over HTTP.' },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' }, key: KEY_SCHEME },
      schemas: { Refusal: schemaOf(refusal, 'output') },
    },
    paths,
  };
  return made;
};
