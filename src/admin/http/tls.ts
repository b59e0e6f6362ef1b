import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CompanionError } from '../../model/index.ts';

/** PEM files, by path. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

const MAX_PEM_BYTES = 256 * 1024;

const read = (file: string): Buffer => {
  const stat = statSync(file);
  if (!stat.isFile() || stat.size > MAX_PEM_BYTES) throw new Error('it is not a PEM file');
  return readFileSync(file);
};

/**
 * Certificate and key, proven to belong together.
 * @throws CompanionError CONFIG_UNREADABLE
 */
export const readTlsFiles = ({ cert, key }: TlsFiles) => {
  try {
    const pair = { cert: read(cert), key: read(key), minVersion: 'TLSv1.2' as const };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CompanionError(
      'CONFIG_UNREADABLE',
      `Cannot use the certificate ${cert} with the key ${key} (http.tls): ${why}.`,
      { cause: error },
    );
  }
};
