import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installationSecret } from '../../../src/system/index.ts';

let room = '';
let file = '';
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'companion-secret-'));
  file = join(room, 'secret');
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const failure = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringMatching(message) });

describe('installationSecret', () => {
  it('is made once, for its owner only, and read ever after', () => {
    const secret = installationSecret(file);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(installationSecret(file)).toBe(secret);
    expect(readdirSync(room)).toEqual(['secret']);
  });

  it('gives two companions that start together the same secret', () => {
    let theirs = '';
    const random = (bytes: number): Buffer => {
      theirs ||= installationSecret(file); // The other one is faster, in the middle of our own creation.
      return Buffer.alloc(bytes, 7);
    };
    expect(installationSecret(file, random)).toBe(theirs);
    expect(readdirSync(room)).toEqual(['secret']);
  });

  it.each([0o640, 0o604, 0o660])('refuses a file that others may read (%o)', (mode) => {
    installationSecret(file);
    chmodSync(file, mode);
    expect(() => installationSecret(file)).toThrow(failure(/other users may read it .*chmod 600/));
  });

  it.each(['', 'abc', 'A'.repeat(64), `${'a'.repeat(64)}b`, 'a'.repeat(100_000)])('refuses other contents', (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => installationSecret(file)).toThrow(failure(/64 lower-case hexadecimal digits/));
  });

  it('refuses a directory, and says when its directory is missing', () => {
    mkdirSync(file, { mode: 0o700 });
    expect(() => installationSecret(file)).toThrow(failure(/not a regular file|EISDIR/));
    expect(() => installationSecret(join(room, 'no', 'secret'))).toThrow(failure(/write to its directory/));
  });

  it('does not write through a dangling link', () => {
    symlinkSync(join(room, 'elsewhere'), file);
    expect(() => installationSecret(file)).toThrow(failure(/ENOENT/));
    expect(readdirSync(room)).toEqual(['secret']);
  });
});
