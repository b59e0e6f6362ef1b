import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTokenFile, startHttp } from '../../../src/admin/index.ts';
import { AT, fakeOperations, fakeTokens } from './fake-operations.ts';

const clock = { now: () => AT };
let dir = '';
let file = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'companion-tokens-'));
  file = join(dir, 'tokens.json');
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('the token file', () => {
  test('holds hashes only, survives, is for the owner alone', () => {
    const { token } = openTokenFile(file, clock).add('grafana', ['read', 'read']);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = openTokenFile(file, clock);
    expect(again.list()).toEqual([{ name: 'grafana', scopes: ['read'], since: AT }]);
    expect(() => again.add('grafana', ['read'])).toThrow(/There is a token 'grafana' already/);
    expect(again.remove('grafana')).toEqual({ removed: ['grafana'] });
    expect(() => again.remove('grafana')).toThrow(/There is no token/);
    expect(openTokenFile(file, clock).list()).toEqual([]);
  });

  test('at most a hundred', () => {
    const tokens = openTokenFile(file, clock);
    for (let index = 0; index < 100; index += 1) tokens.add(`t${index}`, ['read']);
    expect(() => tokens.add('one-more', ['read'])).toThrow(/100 tokens already/);
  });

  test.each([
    ['damaged', '{"tokens":[{"name":', /it is damaged/],
    ['of another shape', '{"tokens":[{"name":"x","sha256":"y","scopes":["all"],"since":1}]}', /it is damaged/],
    ['huge', ' '.repeat(70_000), /more than 65536 bytes/],
  ])('is refused when it is %s', (_name, text, sentence) => {
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => openTokenFile(file, clock)).toThrow(sentence);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('is refused when others may read it', () => {
    writeFileSync(file, '{"tokens":[]}');
    chmodSync(file, 0o644);
    expect(() => openTokenFile(file, clock)).toThrow(/other users may read or write it/);
  });
});

describe('TLS', () => {
  const pair = (name: string): { cert: string; key: string } => {
    const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '1', '-nodes', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...subject], {
      stdio: 'ignore',
    });
    return { cert, key };
  };

  const nameOf = async (port: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/healthz', rejectUnauthorized: false, agent: false };
      const asked = request(options, (response) => {
        const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
        response.resume();
        response.on('end', () => resolve([response.statusCode, subject.CN]));
      });
      asked.on('error', reject);
      asked.end();
    });

  test('beyond loopback with a certificate, which is read again', async () => {
    const tls = pair('first');
    const door = await startHttp({
      listen: { host: '0.0.0.0', port: 0 },
      token: 'correct-horse-battery-staple',
      tokens: fakeTokens(),
      operations: fakeOperations(),
      clock,
      tls,
    });
    try {
      expect(await nameOf(door.port)).toEqual([200, 'first']);
      const second = pair('second');
      writeFileSync(tls.cert, readFileSync(second.cert));
      expect(() => door.renew()).toThrow(/Cannot use the certificate/);
      expect(await nameOf(door.port)).toEqual([200, 'first']);
      writeFileSync(tls.key, readFileSync(second.key));
      door.renew();
      expect(await nameOf(door.port)).toEqual([200, 'second']);
    } finally {
      await door.close();
    }
  });

  test('a certificate that is missing or not of this key is refused in a sentence', async () => {
    const start = async (tls: { cert: string; key: string }): Promise<unknown> =>
      startHttp({
        listen: { host: '127.0.0.1', port: 0 },
        token: 'correct-horse-battery-staple',
        tokens: fakeTokens(),
        operations: fakeOperations(),
        tls,
      });
    await expect(start({ cert: join(dir, 'none'), key: join(dir, 'none') })).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    });
    const [a, b] = [pair('a'), pair('b')];
    await expect(start({ cert: a.cert, key: b.key })).rejects.toThrow(/Cannot use the certificate/);
  });
});
