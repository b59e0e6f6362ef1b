import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { spanMs } from './duration.ts';

/** Country, network, and one more for each; more only cost a look each. */
const MAX_DATABASES = 8;
/** There are some 250 countries and 120,000 networks. */
const MAX_COUNTRIES = 300;
const MAX_ASNS = 10_000;

/** DB-IP's free databases: no key, monthly, CC BY 4.0. */
const DEFAULT_DOWNLOADS = [
  'https://download.db-ip.com/free/dbip-country-lite-{yyyy}-{mm}.mmdb.gz',
  'https://download.db-ip.com/free/dbip-asn-lite-{yyyy}-{mm}.mmdb.gz',
] as const;

const webUrl = z
  .string()
  .max(2_000)
  .refine((text) => {
    const url = URL.parse(text.replaceAll(/\{(?:yyyy|mm|dd)\}/g, '01'));
    return url !== null && /^https?:$/.test(url.protocol) && url.username === '';
  }, 'must be an http:// or https:// URL without a user name; {yyyy}, {mm} and {dd} stand for the date');

/** Where a database comes from, and how it is known to have arrived whole. */
export interface GeoDownload {
  readonly url: string;
  /** SHA-256 of what is fetched, in hexadecimal, or the URL of a file that holds it. */
  readonly sha256?: string | undefined;
}

const download = z.union([
  webUrl.transform((url): GeoDownload => ({ url })),
  z
    .strictObject({
      url: webUrl,
      sha256: z.union([z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits'), webUrl]).optional(),
    })
    .transform((value): GeoDownload => value),
]);

const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/, 'must be a country of two letters (ISO 3166), for example RU')
  .transform((text) => text.toUpperCase());
const countries = z.array(country).max(MAX_COUNTRIES).default([]);

const asn = z.union([
  z.int().min(1).max(4_294_967_295),
  z
    .string()
    .regex(/^AS\d{1,10}$/i, 'must be the number of a network, for example 64496 or AS64496')
    .transform((text) => Number(text.slice(2))),
]);

const absolutePath = z.string().refine((text) => isAbsolute(text) && !text.includes('\0'), 'must be an absolute path');

/** Country and network of addresses, and which of them are turned away. */
export const geoSettings = {
  geo: z
    .strictObject({
      files: z
        .array(absolutePath)
        .max(MAX_DATABASES)
        .default([])
        .describe('.mmdb databases: country, city or network (ASN); looked at before what was fetched'),
      download: z
        .array(download)
        .max(MAX_DATABASES)
        .prefault([...DEFAULT_DOWNLOADS])
        .describe("what 'companion geo update' fetches; .gz is unpacked"),
      update_every: z
        .union([z.literal('never'), spanMs])
        .default('never')
        .describe('fetch them by itself, this often'),
      max_age: spanMs.prefault('45d').describe('older databases raise an alarm'),
      block_unknown: z
        .boolean()
        .default(false)
        .describe('with allowed_countries: turn away who is in no country as well'),
    })
    .prefault({}),
  blocked_countries: countries.describe('strangers from there are dropped'),
  allowed_countries: countries.describe('where not empty: strangers from anywhere else are dropped'),
  blocked_asns: z.array(asn).max(MAX_ASNS).default([]).describe('networks whose strangers are dropped'),
};
