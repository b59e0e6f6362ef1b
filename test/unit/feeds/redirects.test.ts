import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttp } from '../../../src/feeds/http.ts';
import type { Http } from '../../../src/feeds/http.ts';
import { createAgents } from '../../../src/feeds/outward.ts';
import type { Agents } from '../../../src/feeds/outward.ts';
import { fakeServer } from './fake-server.ts';
import type { FakeServer } from './fake-server.ts';

/** Stands for a server in the Internet; all other addresses are what they are. */
const OUTSIDE = '127.86.0.1';
const INSIDE = '127.86.0.2';
const zone: Readonly<Record<string, readonly string[]>> = {
  'feed.example': [OUTSIDE],
  'mirror.example': [OUTSIDE],
  'inner.example': [INSIDE],
  'both.example': [OUTSIDE, INSIDE],
};
const lookup: LookupFunction = (host, options, done) => {
  const found = (zone[host] ?? []).map((address) => ({ address, family: 4 }));
  if (found.length === 0) done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
  else if (options.all === true) done(null, found);
  else done(null, found[0]!.address, 4);
};

let outside: FakeServer;
let inside: FakeServer;
let agents: Agents;
let http: Http;
const portOf = ({ url }: FakeServer): string => new URL(url).port;
const get = (url: string): Promise<string> =>
  http(url, { deadlineMs: 5_000, maxBytes: 1_000 }).then(({ body }) => body.toString());
const redirectTo = (location: string): void => {
  outside.answer = ({ path }) => (path === '/list' ? { status: 302, headers: { location } } : { body: 'from outside' });
};

beforeEach(async () => {
  outside = await fakeServer(() => ({ body: 'from outside' }), OUTSIDE);
  inside = await fakeServer(() => ({ body: 'a secret' }), INSIDE);
  agents = createAgents({ lookup, isInner: (ip) => ip !== OUTSIDE });
  http = createHttp(agents);
});
afterEach(async () => {
  await agents.destroy();
  await Promise.all([outside.stop(), inside.stop()]);
});

test.each([
  ['an address', () => `${inside.url}/admin`],
  ['a name', () => `http://inner.example:${portOf(inside)}/admin`],
  ['a name that leads there as well', () => `http://both.example:${portOf(inside)}/admin`],
  ['an address in brackets', () => `http://[::1]:${portOf(inside)}/admin`],
])('a server outside does not redirect inside: %s', async (_, location) => {
  redirectTo(location());
  await expect(get(`http://feed.example:${portOf(outside)}/list`)).rejects.toThrow(
    'it redirects to an address of this machine or its network',
  );
  expect(inside.asked).toEqual([]);
});

test('not by way of a second redirect either', async () => {
  outside.answer = ({ path }) => ({
    status: 302,
    headers: { location: path === '/list' ? `http://mirror.example:${portOf(outside)}/next` : inside.url },
  });
  await expect(get(`http://feed.example:${portOf(outside)}/list`)).rejects.toThrow(
    'it redirects to an address of this',
  );
  expect(inside.asked).toEqual([]);
});

test('redirects outside are followed, and so are those of a server that is inside itself', async () => {
  redirectTo(`http://mirror.example:${portOf(outside)}/elsewhere`);
  expect(await get(`http://feed.example:${portOf(outside)}/list`)).toBe('from outside');
  inside.answer = ({ path }) => (path === '/list' ? { status: 302, headers: { location: '/next' } } : { body: 'next' });
  expect(await get(`http://inner.example:${portOf(inside)}/list`)).toBe('next');
  expect(await get(`${inside.url}/list`)).toBe('next');
});

test.each(['127.0.0.1', '169.254.169.254', '10.0.0.1', '[::1]', '[fe80::1]', '[::ffff:127.0.0.1]', '[64:ff9b::a00:1]'])(
  'without being told, %s is inside',
  async (host) => {
    const real = createAgents({ lookup });
    const dispatcher = await real.redirectedFrom('http://203.0.113.7/');
    expect(() => dispatcher.dispatch({ origin: `http://${host}`, path: '/', method: 'GET' }, {})).toThrow(
      'it redirects to an address of this machine',
    );
    expect(await real.redirectedFrom(`http://${host}/`)).toBe(real.configured);
    await real.destroy();
  },
);
