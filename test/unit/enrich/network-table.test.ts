import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { PrefixMap } from '../../../src/enrich/index.ts';
import { buildNetworkTable, NetworkTable, readNetworks } from '../../../src/enrich/networks/index.ts';
import { canonicalIp, formatCidr, parseCidr } from '../../../src/model/index.ts';

const tableOf = (lists: Readonly<Record<string, string>>): NetworkTable =>
  new NetworkTable(
    buildNetworkTable(
      readNetworks(Object.entries(lists).map(([name, text]) => ({ name, bytes: Buffer.from(text, 'latin1') }))),
    ),
  );

test('the closest network says on which list an address stands', () => {
  const table = tableOf({
    wide: '10.0.0.0/8\n2001:db8::/32\n255.0.0.0/8',
    narrow: '10.1.0.0/16\n10.1.2.3\n2001:db8:1:2::/64\n2001:db8:1:2::7',
  });
  expect(
    [
      '10.1.2.3',
      '10.1.2.4',
      '10.2.0.0',
      '9.255.255.255',
      '11.0.0.0',
      '255.255.255.255',
      '0.0.0.0',
      '2001:db8:1:2::7',
      '2001:db8:1:2::8',
      '2001:db8:1:3::',
      '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff',
      'no address',
    ].map((ip) => table.match(ip)),
  ).toEqual([
    { list: 'narrow', prefix: 32 },
    { list: 'narrow', prefix: 16 },
    { list: 'wide', prefix: 8 },
    undefined,
    undefined,
    { list: 'wide', prefix: 8 },
    undefined,
    { list: 'narrow', prefix: 128 },
    { list: 'narrow', prefix: 64 },
    { list: 'wide', prefix: 32 },
    undefined,
    undefined,
  ]);
});

test('of the same network on two lists the first one counts', () => {
  expect(tableOf({ a: '192.0.2.0/24', b: '192.0.2.0/24' }).match('192.0.2.1')).toEqual({ list: 'a', prefix: 24 });
});

test('everything and nothing', () => {
  expect(tableOf({ all: '0.0.0.0/0\n::/0' }).match('255.255.255.255')).toEqual({ list: 'all', prefix: 0 });
  expect(tableOf({ all: '0.0.0.0/0\n::/0' }).match('ffff::')).toEqual({ list: 'all', prefix: 0 });
  expect(tableOf({}).match('192.0.2.1')).toBeUndefined();
  expect(tableOf({ empty: '' }).has('::1')).toBe(false);
});

test('comments, blanks, other line ends and unusual forms are read; what is no address is told by its line', () => {
  const read = readNetworks([
    {
      name: 'list',
      bytes: Buffer.from(
        '\u00ef\u00bb\u00bf# made by hand\r\n 192.0.2.1 # one\r\n\r\n192.0.2.77/24;x\n::FFFF:198.51.100.1\n::ffff:c633:6402\n2001:DB8:0::/33\n' +
          '192.0.2.01\n192.0.2.256\n1.2.3\n1.2.3.4.5\n192.0.2.0/33\n192.0.2.0/\n192.0.2.1 192.0.2.2\n2001:db8::/129\n1:2:3:4:5:6:7:8:9\n:::\n1::2::3\nx\n::1%eth0',
        'latin1',
      ),
    },
  ]);
  const table = new NetworkTable(buildNetworkTable(read));
  expect(table.size).toBe(5);
  expect(
    ['192.0.2.1', '192.0.2.9', '198.51.100.1', '198.51.100.2', '2001:db8:7fff::'].map((ip) => table.has(ip)),
  ).toEqual(Array.from({ length: 5 }, () => true));
  expect(read.unread.map(({ line }) => line)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(read.unread[0]).toEqual({ list: 'list', line: 8, text: '192.0.2.01' });
});

test('of a file full of rubbish only the first lines are kept, all are counted', () => {
  const read = readNetworks([{ name: 'rubbish', bytes: Buffer.from('x'.repeat(500).concat('\n').repeat(1_000)) }]);
  expect(read.unreadCount).toBe(1_000);
  expect(read.unread.length).toBe(20);
  expect(read.unread[0]!.text.length).toBe(60);
});

/** Few addresses, close to each other and at the ends, so that networks lie within and beside each other. */
const octets = fc.array(fc.constantFrom(0, 1, 2, 127, 128, 254, 255), { minLength: 16, maxLength: 16 });
const ipOf = (bytes: readonly number[], v6: boolean): string =>
  canonicalIp(
    ipaddr.fromByteArray(v6 ? bytes.map((byte, at) => (at < 2 ? 0x20 : byte)) : bytes.slice(0, 4)).toString(),
  )!;

test('it says what a map of prefixes says', () => {
  const network = fc.tuple(octets, fc.boolean(), fc.nat(128), fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(fc.array(network, { maxLength: 40 }), fc.array(fc.tuple(octets, fc.boolean())), (networks, asked) => {
      const map = new PrefixMap<string>();
      const lists: Record<string, string> = { a: '', b: '', c: '' };
      const written = networks.map(([bytes, v6, bits, list]) => {
        const cidr = parseCidr(`${ipOf(bytes, v6)}/${v6 ? bits : bits % 33}`);
        lists[list] += `${formatCidr(cidr)}\n`;
        return { cidr, list };
      });
      // the first list wins, so it is the last to be put
      for (const list of ['c', 'b', 'a'])
        for (const each of written) if (each.list === list) map.set(each.cidr, `${list} ${each.cidr.prefix}`);
      const table = tableOf(lists);
      const edges = written.map(({ cidr }) => cidr.network);
      for (const ip of [...asked.map(([bytes, v6]) => ipOf(bytes, v6)), ...edges]) {
        const found = table.match(ip);
        expect(found === undefined ? undefined : `${found.list} ${found.prefix}`).toBe(map.match(ip));
        expect(table.has(ip)).toBe(found !== undefined);
      }
    }),
    { numRuns: 300 },
  );
});
