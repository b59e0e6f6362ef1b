import { describe, expect, test } from 'vitest';
import { csvLine, csvRows, readRows } from '../../../src/protocol/index.ts';

const NOW = Date.UTC(2026, 10, 20, 8);

describe('CSV', () => {
  test('quotes, line ends, separators, comments, a byte order mark', () => {
    expect([...csvRows('\ufeffa,"b ""x"", y"\r\n\r\n# no\n"two\nlines",c')]).toEqual([
      { line: 1, cells: ['a', 'b "x", y'] },
      { line: 4, cells: ['two\nlines', 'c'] },
    ]);
    expect([...csvRows('a;b\nc;d')][1]?.cells).toEqual(['c', 'd']);
    expect([...csvRows('a\tb')][0]?.cells).toEqual(['a', 'b']);
    expect([...csvRows('')]).toEqual([]);
    expect([...csvRows('a,"b" \n"c" ,d')].map(({ cells }) => cells)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test('one stray quote does not swallow the rows behind it', () => {
    const rowsOf = (text: string): string[] =>
      [...csvRows(text)].map(({ line, cells }) => `${line} ${cells.join('|')}`);
    expect(rowsOf('"never closed,\n1')).toEqual(['1 "never closed|', '2 1']);
    expect(rowsOf('a,"one\nb,two\nc,"three"\n')).toEqual(['1 a|"one', '2 b|two', '3 c|three']);
    expect(rowsOf('a,"six" feet\nb')).toEqual(['1 a|"six" feet', '2 b']);
    const long = `1.1.1.1,"stray\n${'1.1.1.2,"a ""b"""\n'.repeat(5_000)}`;
    expect(rowsOf(long).slice(0, 2)).toEqual(['1 1.1.1.1|"stray', '2 1.1.1.2|a "b"']);
    expect(rowsOf(long)).toHaveLength(5_001);
  });

  test('no cell is a formula for a spreadsheet, and comes back as it was', () => {
    for (const evil of ['=cmd|calc', '+1', '-1', '@SUM(A1)', '\tx', '=a,"b"']) {
      const text = csvLine(['203.0.113.7', evil]);
      expect(text).not.toMatch(/(?:^|,)"?[=+\-@\t]/);
      const { rows } = readRows(`address,note\r\n${text}`, NOW);
      expect(rows[0]?.note).toBe(evil);
    }
  });
});

describe('rows', () => {
  test.each([
    [
      'our own export',
      'Network/IP Address,Note,Until,Since,By\r\n203.0.113.7,x,permanent,2026-01-01T00:00:00.000Z,detector',
    ],
    ['sipPROT, with another order', 'Note;Network or IP Address\nx;203.0.113.7'],
    ['no headings', '203.0.113.7,x'],
    ['a plain list', '# our list\n203.0.113.7 # x\n'],
    ['a fail2ban-like list', '203.0.113.7 x'],
    ['JSON of ours', '{"bans":[{"subject":"203.0.113.7","reason":"x","until":null}],"total":1}'],
    ['JSON of SIP Guardian', '{"bans":[{"ip":"203.0.113.7","reason":"x","expires_at":null}]}'],
    ['JSON of addresses and notes', '[{"address":"203.0.113.7","note":"x"}]'],
  ])('%s', (_name, text) => {
    const { rows, problems } = readRows(text, NOW);
    expect(problems).toEqual([]);
    expect(rows).toEqual([expect.objectContaining({ subject: '203.0.113.7', note: 'x' })]);
  });

  test('ends: a time, seconds, a duration, none', () => {
    const text =
      'ip,until,duration\n1.1.1.1,2027-01-31T12:00:00Z,\n1.1.1.2,1800000000,\n1.1.1.3,,4h\n1.1.1.4,permanent,\n1.1.1.5,,';
    expect(readRows(text, NOW).rows.map(({ until }) => until)).toEqual([
      Date.UTC(2027, 0, 31, 12),
      1_800_000_000_000,
      NOW + 4 * 3_600_000,
      null,
      undefined,
    ]);
  });

  test('a bad row is told with its line, the others are read', () => {
    const { rows, problems } = readRows('ip,until\n1.1.1.1,\n,\n,soon\n1.1.1.2,soon\n1.1.1.3,', NOW);
    expect(rows.map(({ line, subject }) => [line, subject])).toEqual([
      [2, '1.1.1.1'],
      [6, '1.1.1.3'],
    ]);
    expect(problems.map(({ line, message }) => [line, message])).toEqual([
      [4, 'There is no address in this row.'],
      [5, "'soon' is not a time. Write for example 2027-01-31T12:00:00Z or permanent."],
    ]);
  });

  test("Kamailio's secfilter table: addresses of the list in question; what is no address is told", () => {
    const text =
      'id,action,type,data\n1,0,3,203.0.113.7\n2,1,3,198.51.100.\n3,0,0,friendly-scanner\n4,0,1,RU\n5,2,0,900\n6,0,ip,10.1.2\n7,0,3,bad.';
    const deny = readRows(text, NOW, 'deny');
    expect(deny.rows.map(({ subject }) => subject)).toEqual(['203.0.113.7', '10.1.2.0/24', 'bad.']);
    expect(deny.problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '4 This row of secfilter is a User-Agent: put it into agents.extra of the configuration.',
      '5 This row of secfilter is a country: put it into blocked_countries or allowed_countries of the configuration.',
      '6 This row of secfilter is about destination: not an address.',
    ]);
    expect(readRows(text, NOW, 'allow').rows).toMatchObject([{ subject: '198.51.100.0/24', note: 'secfilter' }]);
  });

  test('what is JSON as a whole but holds nothing is refused; so is half of it', () => {
    expect(() => readRows('{"bans":', NOW)).toThrow(/looks like JSON, but is not/);
    expect(() => readRows('{"a":1}', NOW)).toThrow(/holds no list of rows/);
    expect(readRows('[1, null, {"ip":{}}, "1.1.1.1"]', NOW)).toMatchObject({ rows: [{ subject: '1.1.1.1' }] });
  });

  test('a hundred thousand rows within seconds', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255},note ${i}`).join(
      '\n',
    );
    const started = process.cpuUsage();
    expect(readRows(text, NOW).rows).toHaveLength(100_000);
    // processor time: it is the same on a busy machine
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
  });
});

describe('files of others', () => {
  const subjectsOf = (text: string): string[] =>
    readRows(text, NOW).rows.map(({ subject, note = '' }) => `${subject} ${note}`.trim());
  const problemsOf = (text: string): string[] =>
    readRows(text, NOW).problems.map(({ line, message }) => `${line} ${message}`);

  test.each([
    ['IP Addr,Comments', '203.0.113.7,x', '203.0.113.7 x'],
    ['ip_address;remark', '203.0.113.7;x', '203.0.113.7 x'],
    ['Source-IP\tLabel', '203.0.113.7\tx', '203.0.113.7 x'],
    ['Network / IP Address,Note', '203.0.113.7,x', '203.0.113.7 x'],
    ['id,grp,ip_addr,mask,port,tag', '4,1,203.0.113.0,24,0,office', '203.0.113.0/24 office'],
    ['net,netmask,notes', '203.0.113.0,255.255.255.0,x', '203.0.113.0/24 x'],
    // no name of it is known: the second row says where the addresses are
    ['Nr,Adresse,Bemerkung', '1,203.0.113.7,x', '203.0.113.7'],
    ['Nr,Adresse,Remark', '1,203.0.113.7/32,x', '203.0.113.7/32 x'],
  ])('headings %j', (heading, row, expected) => {
    expect(subjectsOf(`${heading}\n${row}\n`)).toEqual([expected]);
    expect(problemsOf(`${heading}\n${row}\n`)).toEqual([]);
  });

  test('a file without headings keeps its first row, also where that is wrong', () => {
    expect(subjectsOf('203.0.113.7,x\n203.0.113.8,y\n')).toEqual(['203.0.113.7 x', '203.0.113.8 y']);
    expect(subjectsOf('nonsense\n203.0.113.8\n')).toEqual(['nonsense', '203.0.113.8']);
    expect(subjectsOf('a,b\n')).toEqual(['a b']);
    expect(subjectsOf('sip.example.com,home\nsip2.example.com,office\n')).toEqual([
      'sip.example.com home',
      'sip2.example.com office',
    ]);
  });

  test('lists with semicolons, as Spamhaus writes them', () => {
    const text =
      '; Spamhaus DROP List 2026/11/20\n; Expires: Sat\n203.0.113.0/24 ; SBL1\n// ours\n203.0.113.9 // why\n';
    expect(subjectsOf(text)).toEqual(['203.0.113.0/24 SBL1', '203.0.113.9 why']);
    expect(problemsOf(text)).toEqual([]);
    // with headings a missing address is one
    expect(problemsOf('IP;Note\n;nothing\n')).toEqual(['2 There is no address in this row.']);
  });

  test('netmasks are networks, and no remarks', () => {
    const text =
      '203.0.113.0/255.255.255.0\n198.51.100.0 255.255.254.0 office\n192.0.2.7 255.255.255.255\n192.0.2.8 255 calls\n';
    expect(subjectsOf(text)).toEqual([
      '203.0.113.0/24',
      '198.51.100.0/23 office',
      '192.0.2.7/32',
      '192.0.2.8 255 calls',
    ]);
    expect(subjectsOf('192.0.2.9/255.0.255.0\n')).toEqual(['192.0.2.9/255.0.255.0']);
    expect(problemsOf('ip,mask\n192.0.2.9,255.0.255.0\n192.0.2.9,x\n')).toEqual([
      "2 '255.0.255.0' is no netmask. Write for example 24 or 255.255.255.0.",
      "3 'x' is no netmask. Write for example 24 or 255.255.255.0.",
    ]);
  });

  test("an address among secfilter's domains, as its documentation has it", () => {
    const text = 'action,type,data\n0,2,203.0.113.82\n0,2,evil.example.org\n0,4,9999\n';
    expect(subjectsOf(text)).toEqual(['203.0.113.82 secfilter']);
    expect(problemsOf(text).join()).toMatch(/3 .* a domain; .*4 .* detect\.honey\.users/);
  });
});
