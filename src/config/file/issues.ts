import { z } from 'zod';
import type { ConfigPath } from './problem.ts';
import { suggest } from './suggest.ts';

/** A schema complaint in our own words. `at`: whether the key or its value is to blame. */
export interface Complaint {
  readonly path: ConfigPath;
  readonly at: 'key' | 'value';
  readonly message: string;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

/** The keys that the schema knows at a path, looking into every branch of a union. */
const knownKeys = (schema: JsonSchema, path: ConfigPath): string[] => {
  const branches = [...(schema.anyOf ?? []), ...(schema.allOf ?? [])].flatMap((branch) => knownKeys(branch, path));
  const [first, ...rest] = path;
  if (first === undefined) return [...Object.keys(schema.properties ?? {}), ...branches];
  const next = typeof first === 'number' ? schema.items : schema.properties?.[String(first)];
  return [...(next === undefined ? [] : knownKeys(next, rest)), ...branches];
};

const typeName = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return value === null ? 'empty' : 'a section';
    default:
      return 'nothing';
  }
};

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a section (key: value)',
  array: 'a list (- item)',
};

const typeMessage = (expected: string, input: unknown): string => {
  const wanted = EXPECTED[expected] ?? expected;
  if (input === undefined) return `is missing; it must be ${wanted}`;
  const hint =
    expected === 'string' && (typeof input === 'number' || typeof input === 'boolean') ? '; put it in quotes' : '';
  return `must be ${wanted}, but is ${typeName(input)}${hint}`;
};

/** `must be at most 30`; of texts and lists the length. A schema's own words win. */
const boundMessage = (issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string => {
  if (!/^Too (?:big|small):/.test(issue.message)) return issue.message;
  const [bound, word] =
    issue.code === 'too_big'
      ? [issue.maximum, issue.inclusive === false ? 'less than' : 'at most']
      : [issue.minimum, issue.inclusive === false ? 'more than' : 'at least'];
  if (issue.origin === 'string') return `must have ${word} ${bound} characters`;
  return issue.origin === 'array' ? `must have ${word} ${bound} entries` : `must be ${word} ${bound}`;
};

const valueMessage = (values: readonly unknown[], input: unknown): string => {
  const known = values.map(String);
  const meant = typeof input === 'string' ? suggest(input, known) : undefined;
  return `must be ${known.length === 1 ? '' : 'one of '}${known.join(', ')}${meant === undefined ? '' : `; did you mean '${meant}'?`}`;
};

/** Of a union's branches, the one whose shape the value has; undefined when none or several could be meant. */
const meantBranch = (branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined => {
  const shapeFits = branches.filter(
    (issues) =>
      !issues.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')),
  );
  return shapeFits.length === 1 ? shapeFits[0] : undefined;
};

/**
 * Zod's issues as complaints: unknown keys one by one with a suggestion, unions down to the branch that was meant.
 * At most `limit` of them.
 */
export const complaintsOf = (schema: z.ZodType, issues: readonly z.core.$ZodIssue[], limit: number): Complaint[] => {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const read = (issue: z.core.$ZodIssue, above: ConfigPath): Complaint[] => {
    const path = [...above, ...issue.path];
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.slice(0, limit).map((key) => {
          const meant = suggest(key, knownKeys(shape, path));
          return {
            path: [...path, key],
            at: 'key',
            message: `is not a known key${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
          };
        });
      case 'invalid_union': {
        const branch = meantBranch(issue.errors);
        if (branch !== undefined) return branch.flatMap((inner) => read(inner, path));
        const wanted = issue.errors
          .flat()
          .map((inner) =>
            inner.path.length > 0
              ? undefined
              : inner.code === 'invalid_type'
                ? (EXPECTED[inner.expected] ?? inner.expected)
                : inner.code === 'invalid_value'
                  ? inner.values.map(String).join(', ')
                  : undefined,
          );
        return [
          {
            path,
            at: 'value',
            message: `must be ${[...new Set(wanted.filter((text) => text !== undefined))].join(' or ')}, but is ${typeName(issue.input)}`,
          },
        ];
      }
      case 'invalid_type':
        return [
          {
            path,
            at: 'value',
            message: issue.message.startsWith('Invalid input')
              ? typeMessage(issue.expected, issue.input)
              : issue.message,
          },
        ];
      case 'invalid_value':
        return [{ path, at: 'value', message: valueMessage(issue.values, issue.input) }];
      case 'too_big':
      case 'too_small':
        return [{ path, at: 'value', message: boundMessage(issue) }];
      default:
        return [{ path, at: 'value', message: issue.message }];
    }
  };
  return issues
    .slice(0, limit)
    .flatMap((issue) => read(issue, []))
    .slice(0, limit);
};
