import { chmodSync, existsSync, mkdtempSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseStateDirectory, controlSocketPaths, findControlSocket } from '../../../src/places/index.ts';
import { makeStateDirectory } from '../../../src/system/index.ts';

let room = '';
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'companion-directories-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const base = { env: {}, uid: 1000, home: '/home/sip' };

describe('chooseStateDirectory', () => {
  it.each([
    ['an explicit path', { ...base, explicit: '/srv/x', env: { STATE_DIRECTORY: '/var/lib/y' } }, '/srv/x'],
    ['a relative explicit path', { ...base, explicit: 'x' }, resolve('x')],
    ['systemd', { ...base, uid: 0, env: { STATE_DIRECTORY: '/var/lib/y:/var/lib/z' } }, '/var/lib/y'],
    ['root', { ...base, uid: 0, env: { XDG_STATE_HOME: '/xdg' } }, '/var/lib/companion'],
    ['XDG', { ...base, env: { XDG_STATE_HOME: '/xdg' } }, '/xdg/companion'],
    ['a relative XDG path is ignored', { ...base, env: { XDG_STATE_HOME: 'xdg' } }, '/home/sip/.local/state/companion'],
    ['a home', base, '/home/sip/.local/state/companion'],
  ])('%s', (_, choice, expected) => expect(chooseStateDirectory(choice)).toBe(expected));
});

describe('makeStateDirectory', () => {
  it('makes it and its parents for its owner only', () => {
    const path = join(room, 'a', 'b');
    expect(makeStateDirectory(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('leaves the mode of an existing directory alone', () => {
    const path = join(room, 'there');
    mkdirSync(path);
    chmodSync(path, 0o755);
    makeStateDirectory(path);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it('refuses a directory that everybody may write to', () => {
    chmodSync(room, 0o1777);
    expect(() => makeStateDirectory(room)).toThrow(/Cannot use the state directory .* everybody/);
  });

  it('says in one sentence that a file is in the way', () => {
    writeFileSync(join(room, 'file'), '');
    expect(() => makeStateDirectory(join(room, 'file'))).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('Name another one') }),
    );
    expect(() => makeStateDirectory(join(room, 'file', 'below'))).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED' }),
    );
  });
});

describe('control socket', () => {
  it('is searched in order', () => {
    const env = { RUNTIME_DIRECTORY: '/run/one:/run/two', XDG_RUNTIME_DIR: '/run/user/1000' };
    expect(controlSocketPaths({ env, stateDirectory: '/state' })).toEqual([
      '/run/one/companion.sock',
      '/run/companion/companion.sock',
      '/run/user/1000/companion/companion.sock',
      '/state/companion.sock',
    ]);
    expect(controlSocketPaths({ env: { RUNTIME_DIRECTORY: '/run/companion' }, stateDirectory: '/state' })).toHaveLength(
      2,
    );
  });

  it('is only where it was named', () => {
    const env = { COMPANION_SOCKET: '/b.sock' };
    expect(controlSocketPaths({ explicit: '/a.sock', env, stateDirectory: '/state' })).toEqual(['/a.sock']);
    expect(controlSocketPaths({ env, stateDirectory: '/state' })).toEqual(['/b.sock']);
  });

  it('is found where a socket is, not where a file is', async () => {
    const file = join(room, 'file');
    const socket = join(room, 'socket');
    writeFileSync(file, '');
    const server = createServer();
    await new Promise<void>((done) => server.listen(socket, done));
    try {
      expect(existsSync(socket)).toBe(true);
      expect(findControlSocket([join(room, 'none'), file, socket])).toBe(socket);
      expect(findControlSocket([file])).toBeUndefined();
    } finally {
      await new Promise((done) => server.close(done));
    }
  });
});
