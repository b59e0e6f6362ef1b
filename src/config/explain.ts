import { isNode } from 'yaml';
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { isSection, valueAt } from './layers.ts';
import type { LoadedConfig } from './load.ts';
import { formatPath, offsetOf } from './file/problem.ts';
import type { ConfigPath } from './file/problem.ts';
import { formatDuration, parseDuration } from '../model/index.ts';

/** One setting as it is in force. */
export interface Explained {
  readonly path: string;
  /** As JSON; secrets are not shown. Durations are in milliseconds. */
  readonly value: string;
  /** As a file says it: durations as `1h30m`. */
  readonly text: string;
  /** `default`, `profile simple`, `environment COMPANION_MODE`, `companion.yaml:3`. */
  readonly from: string;
  readonly about: string;
}

interface JsonSchema {
  readonly description?: string;
  readonly type?: string;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
}

const SECRET = /(?:^|\.)(?:secret|token|api_key)$/;

const aboutOf = (schema: JsonSchema, path: ConfigPath): string => {
  const [first, ...rest] = path;
  if (first === undefined) return schema.description ?? '';
  const next = schema.properties?.[String(first)];
  if (next !== undefined) return aboutOf(next, rest);
  return schema.anyOf?.map((branch) => aboutOf(branch, path)).find((text) => text !== '') ?? '';
};

/** The schema of a value, through the branches of unions; undefined where it has none of its own. */
const schemaAt = (schema: JsonSchema, path: ConfigPath): JsonSchema | undefined => {
  const [first, ...rest] = path;
  if (first === undefined) return schema;
  const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  const next = schema.properties?.[String(first)] ?? more;
  if (next !== undefined) return schemaAt(next, rest);
  return schema.anyOf?.map((branch) => schemaAt(branch, path)).find((found) => found !== undefined);
};

/** What is written as text and is a number in force is a duration. */
const isDuration = (schema: JsonSchema, path: ConfigPath, value: unknown): value is number => {
  if (typeof value !== 'number') return false;
  const own = schemaAt(schema, path);
  const types = [own?.type, ...(own?.anyOf ?? []).map(({ type }) => type)];
  return types.includes('string') && !types.includes('number') && !types.includes('integer');
};

const durationText = (ms: number): string => {
  const text = formatDuration(ms);
  return parseDuration(text) === ms ? text : `${ms / 1_000}s`;
};

/** Every setting in force, where it comes from and what it is for. */
export const explainConfig = <T>(loaded: LoadedConfig<T>, schema: z.ZodType<T>): Explained[] => {
  const { config, file, tree, profile, overrides } = loaded;
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const profileName = String(valueAt(config, ['profile']));

  const fromOf = (path: ConfigPath): string => {
    const override = overrides.find((each) => formatPath(each.path) === formatPath(path));
    if (override !== undefined) return `environment ${override.name}`;
    if (isNode(tree.document.contents) && valueAt(tree.value, path) !== undefined)
      return `${file}:${tree.lines.linePos(offsetOf(tree.document, path, 'key')).line}`;
    return valueAt(profile, path) === undefined ? 'default' : `profile ${profileName}`;
  };
  const walk = (value: unknown, path: ConfigPath): Explained[] => {
    if (isSection(value) && Object.keys(value).length > 0 && !isEndpoint(value))
      return Object.entries(value).flatMap(([key, inner]) => walk(inner, [...path, key]));
    const name = formatPath(path);
    const shown = SECRET.test(name) ? '"(not shown)"' : withoutSecrets(value);
    const text = isDuration(shape, path, value) ? durationText(value) : shown.replaceAll('"', '');
    return [{ path: name, value: shown, text, from: fromOf(path), about: aboutOf(shape, path) }];
  };
  return walk(config, []);
};

const withoutSecrets = (value: unknown): string =>
  JSON.stringify(value, (key, inner: unknown) =>
    SECRET.test(key) ? '(not shown)' : isEndpoint(inner) ? endpointText(inner) : inner,
  ) ?? 'null';

const isEndpoint = (value: unknown): value is Endpoint =>
  isSection(value) && Object.keys(value).length === 2 && 'host' in value && 'port' in value;

const endpointText = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
