import { describe, expect, test } from 'vitest';
import { createBackgrounds, createGeoRules, openGeoDatabase, placeIn } from '../../../src/enrich/index.ts';
import { asn, country, encodeMmdb } from '../feeds/mmdb.ts';

const BUILT = Date.UTC(2026, 10, 1);
const COUNTRIES = encodeMmdb({
  type: 'Test-Country',
  builtAt: BUILT,
  entries: [
    ['203.0.113.0/24', country('DE')],
    ['203.0.113.128/25', country('RU')],
    ['198.51.100.0/24', country('ZZ')],
    ['192.0.2.0/24', { registered_country: { iso_code: 'FR' } }],
    ['8.8.8.0/24', { country_code: 'US' }],
    ['2001:db8::/32', country('CN')],
    ['9.9.9.0/24', { country: { iso_code: '\u001b[2J' } }],
  ].filter(([cidr]) => cidr !== '203.0.113.0/24') as [string, never][],
});
const NETWORKS = encodeMmdb({
  type: 'Test-ASN',
  builtAt: BUILT,
  entries: [['203.0.113.128/25', asn(64_500, 'Example Net')]],
});

describe('a database', () => {
  test.each([24, 28, 32] as const)('of records of %i bits says where an address is', (recordSize) => {
    const database = openGeoDatabase(
      encodeMmdb({ type: 'T-Country', builtAt: BUILT, recordSize, entries: [['203.0.113.0/25', country('DE')]] }),
      'x.mmdb',
    );
    expect(database.of('203.0.113.7')).toEqual({ country: 'DE' });
    expect(database.of('203.0.113.200')).toEqual({});
    expect(database.builtAt).toBe(BUILT);
    expect(database.knows).toEqual(['country']);
  });

  test('of IPv4 only knows nothing of IPv6', () => {
    const bytes = encodeMmdb({ type: 'T', builtAt: BUILT, ipVersion: 4, entries: [['32.1.0.0/16', country('DE')]] });
    const database = openGeoDatabase(bytes, 'x.mmdb');
    expect(database.of('32.1.2.3')).toEqual({ country: 'DE' });
    expect(database.of('2001:db8::1')).toEqual({});
  });

  test('country, city and flat files; what is no country is none', () => {
    const database = openGeoDatabase(COUNTRIES, 'x.mmdb');
    expect(database.of('203.0.113.200').country).toBe('RU');
    expect(database.of('2001:db8::1').country).toBe('CN');
    expect(database.of('192.0.2.1').country).toBe('FR');
    expect(database.of('8.8.8.8').country).toBe('US');
    expect(database.of('198.51.100.1')).toEqual({});
    expect(database.of('9.9.9.9')).toEqual({});
  });

  test('that is damaged is refused with a clear sentence', () => {
    const cut = COUNTRIES.subarray(0, COUNTRIES.length - 90);
    const tail = COUNTRIES.subarray(40);
    const noise = Buffer.alloc(5_000, 0x5a);
    for (const bytes of [cut, tail, noise, Buffer.alloc(0)])
      expect(() => openGeoDatabase(bytes, 'broken.mmdb')).toThrow(
        /broken\.mmdb is not a usable \.mmdb database: .*geo update/,
      );
  });

  test('with damaged data is refused, or knows nothing there', () => {
    for (let at = 0; at < COUNTRIES.length; at += 3) {
      const bytes = Buffer.from(COUNTRIES);
      bytes[at] = 0xff;
      try {
        const place = openGeoDatabase(bytes, 'x.mmdb').of('203.0.113.200');
        expect(place.country ?? 'RU').toMatch(/^[A-Z]{2}$/);
      } catch (error) {
        expect(error).toMatchObject({ code: 'GEO_INVALID' });
      }
    }
  });
});

test('the first database that knows a thing decides it', () => {
  const databases = [openGeoDatabase(COUNTRIES, 'c'), openGeoDatabase(NETWORKS, 'n')];
  expect(placeIn(databases, '203.0.113.200')).toEqual({ country: 'RU', asn: 64_500, network: 'Example Net' });
  expect(placeIn(databases, '127.0.0.1')).toEqual({ country: '', asn: 0, network: '' });
});

describe('rules', () => {
  const none = { blockedCountries: [], allowedCountries: [], blockedAsns: [], blockUnknown: false };
  const at = (iso: string, number = 0) => ({ country: iso, asn: number, network: '' });

  test('blocked countries and networks', () => {
    const rules = createGeoRules({ ...none, blockedCountries: ['RU'], blockedAsns: [64_500] });
    expect(rules(at('RU'))).toEqual({ state: 'denied', reason: 'country RU is blocked', country: 'RU' });
    expect(rules(at('DE', 64_500))?.reason).toBe('network AS64500 is blocked');
    expect(rules(at('DE'))).toBeUndefined();
    expect(rules(at(''))).toBeUndefined();
  });

  test('only some are allowed; who is nowhere passes unless the operator says otherwise', () => {
    expect(createGeoRules({ ...none, allowedCountries: ['DE'] })(at(''))).toBeUndefined();
    expect(createGeoRules({ ...none, allowedCountries: ['DE'] })(at('FR'))?.state).toBe('denied');
    expect(createGeoRules({ ...none, allowedCountries: ['DE'] })(at('DE'))).toBeUndefined();
    expect(createGeoRules({ ...none, allowedCountries: ['DE'], blockUnknown: true })(at(''))?.state).toBe('denied');
  });
});

describe('the background of an address', () => {
  test('is looked up once, and anew when something has changed', () => {
    let looks = 0;
    let databases = [{ type: '', builtAt: 0, knows: [], of: () => (looks++, { country: 'RU' }) }];
    const backgrounds = createBackgrounds({
      databases: () => databases,
      rules: createGeoRules({ blockedCountries: ['RU'], allowedCountries: [], blockedAsns: [], blockUnknown: false }),
      isHome: (ip) => ip === '10.0.0.1',
      listed: () => undefined,
    });
    expect(backgrounds.of('203.0.113.7')).toMatchObject({ place: { country: 'RU' }, barred: { state: 'denied' } });
    expect(backgrounds.of('203.0.113.7').place?.country).toBe('RU');
    expect(looks).toBe(1);
    expect(backgrounds.of('10.0.0.1')).toEqual({ place: undefined, barred: undefined });
    databases = [];
    backgrounds.forget();
    expect(backgrounds.of('203.0.113.7')).toEqual({ place: undefined, barred: undefined });
  });

  test('of a country and a feed: the stronger word counts', () => {
    const backgrounds = createBackgrounds({
      databases: () => [],
      rules: () => undefined,
      isHome: () => false,
      listed: () => ({ state: 'quarantined', reason: 'listed by x' }),
    });
    expect(backgrounds.of('203.0.113.7').barred).toEqual({ state: 'quarantined', reason: 'listed by x' });
  });
});
