import { describe, expect, test } from 'vitest';
import {
  decodeExtended,
  digestAlgorithm,
  isOtherScheme,
  isValueFault,
  MAX_CHALLENGES,
  readChallenges,
  readCredentials,
  writeChallenges,
  writeCredentials,
} from '../../../src/protocol/sip/values/index.ts';

const CREDENTIALS =
  'Digest username="bob", realm="biloxi.com", nonce="dcd9", uri="sip:bob@biloxi.com", response="6629", algorithm=SHA-256, cnonce="0a4f", opaque="5ccc", qop=auth-int, nc=0000000a, userhash=false, x="y"';

describe('credentials', () => {
  test('field by field, and written as read', () => {
    const read = readCredentials(CREDENTIALS);
    expect(read).toEqual({
      scheme: 'Digest',
      username: 'bob',
      usernameExtended: undefined,
      realm: 'biloxi.com',
      nonce: 'dcd9',
      uri: 'sip:bob@biloxi.com',
      response: '6629',
      algorithm: 'SHA-256',
      cnonce: '0a4f',
      opaque: '5ccc',
      qop: 'auth-int',
      nc: 10,
      userhash: false,
      others: [{ name: 'x', value: 'y', quoted: true }],
    });
    expect(isValueFault(read) ? '' : writeCredentials(read)).toBe(CREDENTIALS);
  });

  test('in any order and case, quoted or not, with white space and folds', () => {
    const read = readCredentials(
      'DIGEST\r\n Response = "r" ,\r\n\tNC=0000000A,QOP="auth",URI="u",Nonce="n",REALM="a\\"b,c=d",userName="" ',
    );
    expect(read).toMatchObject({ response: 'r', nc: 10, qop: 'auth', realm: 'a"b,c=d', username: '' });
  });

  test('username* (RFC 7616 3.9.2)', () => {
    const read = readCredentials(
      `Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm="r", nonce="n", uri="u", response="x"`,
    );
    expect(read).toMatchObject({ username: '', usernameExtended: "UTF-8''J%C3%A4s%C3%B8n%20Doe" });
    expect(decodeExtended("UTF-8''J%C3%A4s%C3%B8n%20Doe")).toBe('Jäsøn Doe');
    expect(["ISO-8859-1''a", 'abc', "UTF-8''%zz", "UTF-8''%ff", "UTF-8'"].map(decodeExtended)).toEqual(
      Array.from({ length: 5 }),
    );
  });

  test('other schemes are left as they are', () => {
    expect(readCredentials('Basic dXNlcjpwYXNz')).toEqual({ scheme: 'Basic', raw: 'dXNlcjpwYXNz' });
    expect(readCredentials('NoOneKnowsThisScheme opaque-data=here')).toEqual({
      scheme: 'NoOneKnowsThisScheme',
      raw: 'opaque-data=here',
    });
    expect(readCredentials('Negotiate')).toEqual({ scheme: 'Negotiate', raw: '' });
    expect(isOtherScheme(readCredentials('Bearer a.b.c=='))).toBe(true);
  });

  test.each([
    ['', 'no scheme', 0],
    ['Digest', 'not a parameter', 6],
    ['Digest username="a" realm="b"', 'not a parameter', 20],
    ['Digest username="a", username="b"', 'a parameter comes twice', 21],
    ['Digest realm="a", Realm="a"', 'a parameter comes twice', 18],
    ['Digest username="a"', 'no realm', 0],
    ['Digest realm="r", nonce="n", uri="u", response="x"', 'no username', 0],
    [`${CREDENTIALS}, username*=UTF-8''x`, 'username and username*', 0],
    [
      `Digest username*=UTF-8''x, realm="r", nonce="n", uri="u", response="x", userhash=true`,
      'userhash with username*',
      0,
    ],
    [CREDENTIALS.replace('0000000a', '1'), 'nc is not eight hexadecimal digits', 0],
    ['Basic\0', 'no blank behind the scheme', 5],
    ['Basic a\0', 'not a text', 7],
  ])('%j: %s', (text, fault, offset) => {
    expect(readCredentials(text)).toEqual({ fault, offset });
  });

  test('names of Object.prototype are names like others', () => {
    const read = readCredentials(`${CREDENTIALS}, __proto__="z", constructor=c`);
    expect(read).toMatchObject({ others: [{ name: 'x' }, { name: '__proto__', value: 'z' }, { name: 'constructor' }] });
  });

  test('a flood of parameters is a fault', () => {
    const many = Array.from({ length: 100 }, (_, index) => `x${index}=1`).join();
    expect(readCredentials(`Digest ${many}`)).toMatchObject({ fault: 'too many parameters' });
  });
});

describe('challenges', () => {
  const FIRST =
    'Digest realm="a, b", domain="sip:x /y", nonce="n", opaque="", stale=true, algorithm=SHA-512-256, qop="auth,auth-int", charset=UTF-8, userhash=true';

  test('several in one value, most preferred first', () => {
    const text = `${FIRST}, Digest realm="r", nonce="m", Basic realm="z", New x="1", y="2"`;
    const read = readChallenges(text);
    expect(read).toMatchObject([
      { realm: 'a, b', nonce: 'n', stale: true, qop: ['auth', 'auth-int'], algorithm: 'SHA-512-256', userhash: true },
      { realm: 'r', nonce: 'm', stale: undefined, qop: undefined, algorithm: undefined },
      { scheme: 'Basic', raw: 'realm="z"' },
      { scheme: 'New', raw: 'x="1", y="2"' },
    ]);
    expect(isValueFault(read) ? '' : writeChallenges(read)).toBe(text);
  });

  test('a parameter may be of any name, also one that looks like a scheme', () => {
    expect(readChallenges('Digest realm="a",nonce="b",digest=1')).toHaveLength(1);
    expect(readChallenges('Digest realm = "a" , nonce = "b"')).toHaveLength(1);
  });

  test.each([
    ['', 'no challenge', 0],
    ['Digest nonce="a"', 'no realm', 0],
    ['Digest realm="a"', 'no nonce', 0],
    ['Digest realm="a", nonce="b", nonce="c"', 'a parameter comes twice', 29],
    ['Digest realm="a", nonce="b", qop="auth,,x"', 'bad qop', 0],
    ['Digest realm="a", nonce="b', 'not a parameter', 26],
    ['Digest realm="a", nonce="b", Digest realm="c"', 'no nonce', 29],
    ['Digest realm="a", nonce="b",', 'not a parameter', 28],
  ])('%j: %s', (text, fault, offset) => {
    expect(readChallenges(text)).toEqual({ fault, offset });
  });

  test('a flood of challenges is a fault', () => {
    const many = (count: number): string => Array.from({ length: count }, () => 'A b').join();
    expect(readChallenges(many(MAX_CHALLENGES))).toHaveLength(MAX_CHALLENGES);
    expect(readChallenges(many(MAX_CHALLENGES + 1))).toMatchObject({ fault: 'too many challenges' });
  });
});

test('algorithms by name, MD5 without one', () => {
  expect(['md5', 'SHA-256-SESS', undefined, 'SHA-1', ''].map(digestAlgorithm)).toEqual([
    'MD5',
    'SHA-256-sess',
    'MD5',
    undefined,
    undefined,
  ]);
});
