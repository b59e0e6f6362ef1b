import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { companionSchema as schema } from '../../../src/app.ts';
import { createReload, explainConfig, loadConfig, loadLayers } from '../../../src/config/index.ts';
import { RULES } from '../../../src/detect/index.ts';

const load = (text: string, env: Readonly<Record<string, string>> = {}) =>
  loadConfig({ text, file: 'c.yaml', schema, env });

describe('profiles', () => {
  test('simple: three numbers', () => {
    const { decide, detect } = load(
      'profile: simple\nsimple: { max_failures: 3, find_time: 5m, ban_time: 24h }\ndetect: { digest_guessing: { spray_users: 9 } }',
    );
    expect(decide.ban_time).toBe(24 * 3_600_000);
    // what the file names itself counts more
    expect(detect.digest_guessing).toMatchObject({ guess_failures: 3, guess_window: 300_000, spray_users: 9 });
  });

  test('per-minute and responsive', () => {
    const minute = load('profile: per-minute\nper_minute: { registers: 6 }');
    expect(minute.detect.digest_guessing).toMatchObject({ guess_failures: 6, guess_window: 60_000 });
    expect(minute.decide.ban_time).toBe(600_000);
    const responsive = load('profile: responsive');
    expect(responsive.detect.density).toMatchObject({ requests: 10, window: 60_000 });
    expect(responsive.detect.enumeration).toMatchObject({ distinct: 10, sequence: 5 });
    expect(responsive.decide.ban_time).toBe(86_400_000);
  });

  test('what is wrong in them is told with its place', () => {
    expect(() => load('profile: simpel')).toThrow(/c.yaml:1:10 profile must be one of .*did you mean 'simple'/);
    expect(() => load('profile: simple\nsimple: { max_failures: 300, find_time: soon }')).toThrow(
      /c.yaml:2:25 simple.max_failures[^]*c.yaml:2:41 simple.find_time must be a duration/,
    );
  });
});

describe('the environment', () => {
  test('stands above the file', () => {
    const config = load('mode: enforce\nhttp: false\nlog: { level: warn }', {
      COMPANION_MODE: 'shadow',
      COMPANION_HTTP_LISTEN: '127.0.0.1:9',
      COMPANION_BAN_TIME: '2h',
      COMPANION_LOG_LEVEL: '',
    });
    expect(config).toMatchObject({ mode: 'shadow', http: { listen: { port: 9 } }, log: { level: 'warn' } });
    expect(config.decide.ban_time).toBe(7_200_000);
  });

  test('the names of SIP Guardian mean the simple profile', () => {
    const config = load('', {
      SIP_GUARDIAN_MAX_FAILURES: '7',
      SIP_GUARDIAN_FIND_TIME: '10m0s',
      SIP_GUARDIAN_BAN_TIME: '3h',
    });
    expect(config.profile).toBe('simple');
    expect(config.detect.digest_guessing).toMatchObject({ guess_failures: 7, guess_window: 600_000 });
    expect(config.decide.ban_time).toBe(10_800_000);
  });

  test('a wrong variable is named', () => {
    expect(() => load('colour: red', { COMPANION_MODE: 'off', SIP_GUARDIAN_MAX_FAILURES: 'five' })).toThrow(
      /environment COMPANION_MODE mode must be one of[^]*environment SIP_GUARDIAN_MAX_FAILURES simple.max_failures must be a number[^]*c.yaml:1:1 colour is not a known key/,
    );
  });
});

describe('rules', () => {
  test('off, or of another weight; others are refused', () => {
    const { rules } = load("rules: { density.source: off, 'enumeration.distinct': { points: 50 } }");
    expect(rules).toEqual({ 'density.source': 'off', 'enumeration.distinct': { points: 50 } });
    expect(() => load('rules: { density.sorce: off }')).toThrow(/did you mean 'density.source'/);
    expect(() => load('rules: { density.source: { points: 0 } }')).toThrow(/rules.density.source.points/);
  });

  test('the list is what detectors say', () => {
    const folder = join(import.meta.dirname, '../../../src/detect');
    const text = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'rules.ts')
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    for (const rule of RULES) expect(text).toContain(`'${rule}'`);
    const named = [
      ...text.matchAll(/'((?:scanner|enumeration|digest|density|garbage|validation|injection)\.[a-z-]+)'/g),
    ].map(([, rule]) => rule);
    const tables = new Set([
      'injection.accused',
      'enumeration.users',
      'enumeration.sources',
      'density.sources',
      'density.prefixes',
    ]);
    const unknown = named.filter((rule) => !tables.has(rule!) && !(RULES as readonly string[]).includes(rule!));
    expect(unknown.filter((rule) => rule !== 'garbage.malformed-sources')).toEqual([]);
  });
});

test('explain: value and origin of every setting, no secrets', () => {
  const text =
    'profile: simple\nhook: { secret: a-very-secret-secret }\nnodes:\n  - { name: edge, secret: another-secret-here }\n';
  const env = { COMPANION_MODE: 'shadow' };
  const explained = explainConfig(loadLayers({ text, file: 'c.yaml', schema, env }), schema);
  const at = (path: string) => explained.find((each) => each.path === path);
  expect(at('mode')).toMatchObject({ value: '"shadow"', from: 'environment COMPANION_MODE' });
  expect(at('profile')).toMatchObject({ from: 'c.yaml:1' });
  expect(at('decide.ban_time')).toMatchObject({ value: '3600000', from: 'profile simple' });
  expect(at('decide.ban_time')?.text).toBe('1h');
  expect(at('decide.quarantine_time')).toMatchObject({ from: 'default', text: '10m' });
  expect(at('http.listen')?.text).toBe('127.0.0.1:2020');
  expect(at('decide.permanent_after')?.text).toBe('0');
  expect(at('detect.density.requests')?.about).toMatch(/requests of one source/);
  expect(at('http.listen')?.value).toBe('"127.0.0.1:2020"');
  expect(at('nodes')?.from).toBe('c.yaml:3');
  expect(JSON.stringify(explained)).not.toMatch(/secret-secret|another-secret/);
});

test('explain: a duration of a rule, and one that has three units', () => {
  const text = 'decide: { ban_times: { enumeration: 2h }, ban_time: 1d2h3m }\n';
  const explained = explainConfig(loadLayers({ text, file: 'c.yaml', schema }), schema);
  const textOf = (path: string) => explained.find((each) => each.path === path)?.text;
  expect([textOf('decide.ban_times.enumeration'), textOf('decide.ban_time')]).toEqual(['2h', '93780s']);
});

test('a duration of the environment without a unit is told so', () => {
  const problems = () => loadConfig({ text: '', schema, env: { SIP_GUARDIAN_BAN_TIME: '3600' } });
  expect(problems).toThrow(/environment SIP_GUARDIAN_BAN_TIME simple\.ban_time .*for example 90s/);
  expect(problems).not.toThrow(/quotes/);
});

test('numbers beyond their bounds, in words', () => {
  expect(() => loadConfig({ text: 'simple: { max_failures: 400 }', schema })).toThrow(
    /simple\.max_failures must be at most 30/,
  );
  expect(() => loadConfig({ text: 'simple: { max_failures: 1 }', schema })).toThrow(
    /simple\.max_failures must be at least 2/,
  );
});

describe('reload', () => {
  test('swaps what it can, names what needs a restart, and again as long as it differs', () => {
    let text = '';
    const applied: string[] = [];
    const reload = createReload(load(text), () => load(text), [
      { covers: /^log\.level$/, apply: ({ log }) => applied.push(log.level) },
      { covers: /^detect\./, apply: () => applied.push('detect') },
    ]);
    expect(reload()).toEqual({ changed: [], needRestart: [] });
    text = 'log: { level: warn }\nhook: { ask_port: 1 }\ndetect: { density: { requests: 7, window: 9s } }';
    expect(reload()).toEqual({
      changed: ['log.level', 'detect.density.requests', 'detect.density.window'],
      needRestart: ['hook.ask_port'],
    });
    expect(applied).toEqual(['warn', 'detect']);
    expect(reload()).toEqual({ changed: [], needRestart: ['hook.ask_port'] });
    text = 'log: { level: loud }';
    expect(() => reload()).toThrow(/log.level must be one of/);
    expect(applied).toEqual(['warn', 'detect']);
  });
});
