import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema, durationMs, loadConfig, spanMs } from '../../../src/config/index.ts';
import { CompanionError } from '../../../src/model/index.ts';

const schema = configSchema({
  decide: z.strictObject({
    ban_for: durationMs.prefault('1h'),
    grace: spanMs.prefault('30s'),
    threshold: z.int().min(1).default(100),
  }),
  detect: z.strictObject({ enumeration: z.strictObject({ distinct: z.int().min(1).default(5) }).prefault({}) }),
  rules: ['density.source'],
});

const load = (text: string) => loadConfig({ text, file: 'c.yaml', schema });

const problemsOf = (text: string): string[] => {
  try {
    load(text);
  } catch (error) {
    expect(error).toBeInstanceOf(CompanionError);
    expect((error as CompanionError).code).toBe('CONFIG_INVALID');
    return (error as CompanionError).message.split('\n').slice(1);
  }
  return [];
};

describe('defaults', () => {
  test('an empty file, a comment and sections without lines are all defaults', () => {
    const empty = load('');
    expect(load('# nothing\n')).toEqual(empty);
    expect(load('decide:\n  # threshold: 5\nallow:\n')).toEqual(empty);
    expect(empty.mode).toBe('enforce');
    expect(empty.http).toEqual({ listen: { host: '127.0.0.1', port: 2020 }, beyond_loopback: false });
    expect(empty.hook).toEqual({ listen: '127.0.0.1', ask_port: 27900, tell_port: 27901 });
    expect(empty.nodes).toEqual([
      {
        name: 'kamailio',
        allowlist_only: false,
        transport: 'datagram',
        evapi: { host: '127.0.0.1', port: 27448 },
        control: { host: '127.0.0.1', port: 27061 },
        rpc: 'http://127.0.0.1:27080/RPC',
      },
    ]);
    expect(empty.decide).toEqual({ ban_for: 3_600_000, grace: 30_000, threshold: 100 });
    expect(empty.log.level).toBe('info');
  });

  test('the result is frozen, all the way down', () => {
    const config = load('allow: [192.0.2.1]');
    expect(() => {
      (config.nodes as unknown[]).push(1);
    }).toThrow(TypeError);
    expect(Object.isFrozen(config.allow[0])).toBe(true);
  });
});

describe('values', () => {
  test('lists take text or address with note, in canonical form', () => {
    expect(
      load('allow:\n  - 10.1.2.3/8\n  - {address: 2001:DB8::1, note: office}\ndeny: ["::ffff:192.0.2.9"]'),
    ).toMatchObject({
      allow: [
        { subject: '10.0.0.0/8', note: '' },
        { subject: '2001:db8::1/128', note: 'office' },
      ],
      deny: [{ subject: '192.0.2.9/32', note: '' }],
    });
  });

  test('durations, false for http, several nodes', () => {
    const config = load(
      'http: false\ndecide: {ban_for: permanent}\nnodes:\n  - {name: a}\n  - {name: b, control: "[::1]:5", rpc: "http://[::1]:6/RPC"}',
    );
    expect(config.http).toBe(false);
    expect(config.decide.ban_for).toBeNull();
    expect(config.nodes[1]).toMatchObject({ name: 'b', control: { host: '::1', port: 5 }, rpc: 'http://[::1]:6/RPC' });
  });

  test('a key named __proto__ is an unknown key', () => {
    expect(problemsOf('__proto__: {mode: shadow}')).toEqual(['c.yaml:1:1 __proto__ is not a known key']);
  });
});

describe('problems', () => {
  test('all at once, in file order, each with its place', () => {
    expect(
      problemsOf(
        [
          'mdoe: shadow',
          'decide:',
          '  threshold: many',
          '  ban_for: 1 hour',
          'nodes:',
          '  - name: "a b"',
          '    contrl: x',
          'allow:',
          '  - 10.0.0.300',
          '  - {adress: 10.0.0.1}',
          'log: {level: inof}',
        ].join('\n'),
      ),
    ).toEqual([
      "c.yaml:1:1 mdoe is not a known key; did you mean 'mode'?",
      'c.yaml:3:14 decide.threshold must be a number, but is text',
      "c.yaml:4:12 decide.ban_for Cannot read the duration '1 hour'. Write for example 90s, 15m, 4h, 7d or permanent.",
      'c.yaml:6:11 nodes[0].name must be 1 to 63 letters, digits, dots, dashes or underscores',
      "c.yaml:7:5 nodes[0].contrl is not a known key; did you mean 'control'?",
      "c.yaml:9:5 allow[0] '10.0.0.300' is not an IP address or CIDR. Write for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48.",
      "c.yaml:10:5 allow[1] needs either 'address' or 'name'",
      "c.yaml:10:6 allow[1].adress is not a known key; did you mean 'address'?",
      "c.yaml:11:14 log.level must be one of fatal, error, warn, info, debug, trace, silent; did you mean 'info'?",
    ]);
  });

  test.each([
    [
      'a missing value has the place of its section',
      'nodes:\n  - rpc: http://127.0.0.1/RPC',
      ['c.yaml:2:5 nodes[0].name is missing; it must be text'],
    ],
    [
      'a duplicate key',
      'mode: shadow\nhook:\n  listen: 127.0.0.1\n  listen: 127.0.0.2\nmode: enforce',
      [
        'c.yaml:4:3 hook.listen is written twice; keep one of them',
        'c.yaml:5:1 mode is written twice; keep one of them',
      ],
    ],
    [
      'broken YAML',
      'mode: [shadow\nlog: x',
      [
        'c.yaml:2:1 (file) is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    ],
    ['a tab', 'log:\n\tlevel: info', ['c.yaml:2:1 (file) is not valid YAML: Tabs are not allowed as indentation']],
    [
      'several documents',
      'mode: shadow\n---\nmode: enforce',
      ["c.yaml:2:1 (file) holds several documents; remove the line '---'"],
    ],
    ['an unknown tag', 'mode: !secret shadow', ['c.yaml:1:7 (file) Unresolved tag: !secret']],
    ['not a mapping', '- a\n- b', ['c.yaml:1:1 (file) must be a section (key: value), but is a list']],
    ['a section that is a list', 'hook: []', ['c.yaml:1:7 hook must be a section (key: value), but is a list']],
    [
      'http neither false nor a section',
      'http: true',
      ['c.yaml:1:7 http must be false or a section (key: value), but is true or false'],
    ],
    [
      'outside loopback without saying so',
      'http:\n  listen: 0.0.0.0:2020',
      [
        "c.yaml:2:11 http.listen is not a loopback address. Write 'tls: { cert: FILE, key: FILE }', or 'beyond_loopback: true' to accept plain HTTP from outside.",
      ],
    ],
    ['a port out of range', 'hook: {ask_port: 70000}', ['c.yaml:1:18 hook.ask_port must be at most 65535']],
    ['equal ports', 'hook: {ask_port: 5, tell_port: 5}', ['c.yaml:1:32 hook.tell_port must differ from ask_port']],
    [
      'the hook over HTTP without HTTP',
      'http: false\nnodes: [{name: a, transport: http}]',
      ["c.yaml:2:30 nodes[0].transport is 'http', but http is off"],
    ],
    [
      'an unknown transport',
      'nodes: [{name: a, transport: tcp}]',
      ['c.yaml:1:30 nodes[0].transport must be one of datagram, evapi, http'],
    ],
    ['equal node names', 'nodes: [{name: a}, {name: a}]', ['c.yaml:1:8 nodes must have different names']],
    [
      'a duration without unit',
      'decide: {ban_for: 90}',
      [
        'c.yaml:1:19 decide.ban_for must be a duration: write a duration with its unit, for example 90s, 15m, 4h or 7d, or permanent',
      ],
    ],
    [
      'an endless time where it must end',
      'decide: {grace: permanent}',
      [
        "c.yaml:1:17 decide.grace 'permanent' makes no sense here: write a duration with its unit, for example 90s, 15m, 4h or 7d",
      ],
    ],
    ['a relative path', 'state_dir: state', ['c.yaml:1:12 state_dir must be an absolute path']],
  ])('%s', (_name, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('a secret is never quoted', () => {
    for (const text of [
      'hook: {secret: hunter2}',
      'http: {token: 1234567}',
      'nodes: [{name: a, secret: "hunter2 hunter2 hunter2"}]',
    ]) {
      const [problem, ...more] = problemsOf(text);
      expect(more).toEqual([]);
      expect(problem).toMatch(/must be/);
      expect(problem).not.toMatch(/hunter2|1234567/);
    }
  });
});

describe('hostile files', () => {
  test('an alias bomb is refused', () => {
    const level = (name: string, of: string): string =>
      `${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(',')}]\n`;
    const bomb = `a: &a [1]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
    expect(problemsOf(bomb)[0]).toMatch(/Excessive alias count/);
  });

  test('aliases that are unknown or circular', () => {
    expect(problemsOf('mode: *nowhere')[0]).toMatch(/Unresolved alias/);
    expect(problemsOf('allow: &a [*a]')[0]).toMatch(/nested too deeply|allow/);
  });

  test('deep nesting and ten thousand keys end quickly', () => {
    expect(problemsOf('['.repeat(100_000))).toEqual([
      expect.stringMatching(/^c\.yaml:1:\d+ \(file\) is nested too deeply$/),
    ]);
    const started = process.cpuUsage();
    expect(problemsOf(Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join('\n'))).toHaveLength(101);
    // processor time: it is the same on a busy machine
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(10_000);
  });
});

describe('files', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'companion-config-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const codeOf = (run: () => unknown): string => {
    try {
      run();
      return 'none';
    } catch (error) {
      return error instanceof CompanionError ? `${error.code} ${error.message}` : 'untyped';
    }
  };

  test('the default file may be missing, a named one may not', () => {
    const missing = join(dir, 'none.yaml');
    expect(loadConfig({ schema, defaultFile: missing }).mode).toBe('enforce');
    expect(codeOf(() => loadConfig({ schema, file: missing }))).toBe(
      `CONFIG_UNREADABLE Cannot read the configuration ${missing}: there is no such file.`,
    );
    expect(codeOf(() => loadConfig({ schema, env: { COMPANION_CONFIG: missing } }))).toMatch(/^CONFIG_UNREADABLE/);
  });

  test('COMPANION_CONFIG names the file; an argument is stronger', () => {
    const [one, two] = [join(dir, 'one.yaml'), join(dir, 'two.yaml')];
    writeFileSync(one, 'mode: shadow');
    writeFileSync(two, 'mode: enforce');
    expect(loadConfig({ schema, env: { COMPANION_CONFIG: one } }).mode).toBe('shadow');
    expect(loadConfig({ schema, file: two, env: { COMPANION_CONFIG: one } }).mode).toBe('enforce');
  });

  test('a directory, a file that is too big, and one that is not UTF-8', () => {
    mkdirSync(join(dir, 'd'));
    writeFileSync(join(dir, 'big'), Buffer.alloc(1024 * 1024 + 1, 35));
    writeFileSync(join(dir, 'latin1'), Buffer.from([0x23, 0xe4]));
    expect(codeOf(() => loadConfig({ schema, file: join(dir, 'd') }))).toMatch(
      /^CONFIG_UNREADABLE .*not a regular file/,
    );
    expect(codeOf(() => loadConfig({ schema, file: join(dir, 'big') }))).toMatch(
      /^CONFIG_UNREADABLE .*at most 1048576/,
    );
    expect(codeOf(() => loadConfig({ schema, file: join(dir, 'latin1') }))).toMatch(/^CONFIG_UNREADABLE .*not UTF-8/);
    expect(codeOf(() => loadConfig({ schema, text: '#'.repeat(1024 * 1024 + 1) }))).toMatch(/^CONFIG_UNREADABLE/);
  });
});

describe('lists', () => {
  test('addresses, networks and names; the deny list takes no names', () => {
    const { allow } = load(
      'allow:\n  - 192.0.2.1\n  - SIP.Example.com.\n  - { name: _sip._udp.example.com, private: true }',
    );
    expect(allow).toEqual([
      { subject: '192.0.2.1/32', note: '' },
      { name: 'sip.example.com', note: '', private: false },
      { name: '_sip._udp.example.com', note: '', private: true },
    ]);
    expect(problemsOf('deny: [sip.example.com]')).toHaveLength(1);
    expect(problemsOf('allow: [300.1.2.3]')).toHaveLength(1);
    expect(problemsOf('allow: [localhost]')).toHaveLength(1);
  });

  test('peers, with what they are spared; files', () => {
    const text = `
peers:
  - { name: carrier, addresses: [198.51.100.0/24], names: [sip.carrier.example], skip: [rate], requests_per_second: 50 }
  - name: trunk
lists:
  - { file: /etc/companion/deny, kind: deny, note: old }
`;
    const { peers, lists } = load(text);
    expect(peers).toEqual([
      {
        name: 'carrier',
        addresses: ['198.51.100.0/24'],
        names: ['sip.carrier.example'],
        private: false,
        note: '',
        skip: ['rate'],
        requests_per_second: 50,
      },
      { name: 'trunk', addresses: [], names: [], private: false, note: '', skip: 'all' },
    ]);
    expect(lists).toEqual([{ file: '/etc/companion/deny', kind: 'deny', note: 'old' }]);
    expect(problemsOf('peers: [{ name: a }, { name: a }]')).toEqual([expect.stringContaining('different names')]);
    expect(problemsOf('lists: [{ file: deny, kind: deny }]')).toEqual([expect.stringContaining('absolute path')]);
    expect(problemsOf('peers: [{ name: a, skip: [everything] }]')).toHaveLength(1);
  });

  test('countries and networks', () => {
    const config = load('blocked_countries: [ru, CN]\nblocked_asns: [64500, AS64501]');
    expect(config.blocked_countries).toEqual(['RU', 'CN']);
    expect(config.blocked_asns).toEqual([64_500, 64_501]);
    expect(config.geo).toMatchObject({ files: [], update_every: 'never', max_age: 45 * 86_400_000 });
    expect(problemsOf('blocked_countries: [Russia]')).toHaveLength(1);
    expect(problemsOf("geo: { download: ['ftp://x/y.mmdb'] }")).not.toEqual([]);
  });
});

describe('feeds', () => {
  test('of each type, with their usual pace', () => {
    const { feeds, feed_policy } = load(`
feeds:
  - { name: apiban, type: apiban, api_key: abc }
  - { name: crowdsec, type: crowdsec, api_key: abc }
  - { name: voipbl, type: list, url: https://voipbl.org/update/ }
  - { name: shelter, type: dnsbl, zone: dnsbl.example.org, action: challenge }
  - { name: sentrypeer, type: sentrypeer, url: http://127.0.0.1:8082, enabled: false }
`);
    expect(feeds.map(({ name, every, action, enabled }) => [name, every / 1_000, action, enabled])).toEqual([
      ['apiban', 240, 'ban', true],
      ['crowdsec', 10, 'ban', true],
      ['voipbl', 14_400, 'ban', true],
      ['shelter', 60, 'challenge', true],
      ['sentrypeer', 900, 'ban', false],
    ]);
    expect(feed_policy).toEqual({ quorum: 2, alone_for: 86_400_000, push: 20_000 });
  });

  test.each([
    ['{ name: a, type: list }', "needs either 'url' or 'file'"],
    ['{ name: a, type: apiban, api_key: abc, every: 1m }', 'at least 4m'],
    ['{ name: a, type: apiban }', 'api_key'],
    ['{ name: ../a, type: list, url: http://x/ }', 'must be 1 to 32 letters'],
    ['{ name: a, type: list, url: ftp://x/ }', 'http:// or https://'],
    ['{ name: a, type: carrier-pigeon }', 'type'],
  ])('%s', (text, message) => {
    expect(problemsOf(`feeds: [${text}]`).join()).toContain(message);
  });
});
