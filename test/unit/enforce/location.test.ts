import { expect, test } from 'vitest';
import { readLocations } from '../../../src/enforce/index.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';

const contact = (fields: object): object => ({ Contact: { Expires: 600, ...fields } });

const rpcWith = (...contacts: object[]): KamailioRpc => ({
  call: async () => ({
    Domains: [{ Domain: { Domain: 'location', AoRs: [{ Info: { AoR: 'alice@example.com', Contacts: contacts } }] } }],
  }),
  write: async () => undefined,
  text: async () => '',
  stream: async function* none() {},
  close: async () => undefined,
});

test('where a registration really came from makes a phone known-good', async () => {
  const rpc = rpcWith(contact({ Address: 'sip:alice@10.0.0.5:5060', Received: 'sip:192.0.2.5:40112' }));
  expect(await readLocations(rpc)).toEqual([
    { ip: '192.0.2.5', port: 40_112, transport: 'udp', user: 'alice', expiresSeconds: 600 },
  ]);
});

test.each([['[not set]'], [''], [undefined]])('a Contact makes nobody known-good: Received is %j', async (received) => {
  const rpc = rpcWith(contact({ Address: 'sip:alice@203.0.113.66:5060', Received: received }));
  expect(await readLocations(rpc)).toEqual([]);
});
