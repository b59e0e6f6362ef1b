import { isIP } from 'node:net';
import { z } from 'zod';

/** Where to connect to or to listen on. `host`: an IP without brackets, or a host name. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

const parseEndpoint = (text: string): Endpoint | undefined => {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([^:[\]]{1,253})):(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const [, v6, plain, portText] = match;
  const port = Number(portText);
  if (port < 1 || port > 65_535) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6.toLowerCase(), port } : undefined;
  if (plain === undefined) return undefined;
  // Digits and dots only must be an address: 10.0.0 or 300.1.1.1 would otherwise be looked up as a name.
  const looksNumeric = /^[\d.]+$/.test(plain);
  if (looksNumeric ? isIP(plain) !== 4 : !HOST_NAME.test(plain)) return undefined;
  return { host: plain.toLowerCase(), port };
};

/** `127.0.0.1:27061`, `[::1]:27061` or `edge1.example.net:27061` → {host, port}. */
export const endpoint = z
  .string({ error: 'must be address:port, for example 127.0.0.1:27061' })
  .transform((text, ctx): Endpoint => {
    const parsed = parseEndpoint(text);
    if (parsed !== undefined) return parsed;
    ctx.addIssue({
      code: 'custom',
      message: `'${text.slice(0, 60)}' is not address:port. Write for example 127.0.0.1:27061 or [::1]:27061.`,
    });
    return z.NEVER;
  });

/** As `endpoint`, for listening: an IP address, or `localhost` (127.0.0.1). Other names would be looked up at boot. */
export const listenEndpoint = endpoint.transform(({ host, port }, ctx): Endpoint => {
  const ip = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(ip) !== 0) return { host: ip, port };
  ctx.addIssue({ code: 'custom', message: `'${host}' is a name; listening needs an IP address.` });
  return z.NEVER;
});

/** True when only this machine can reach a listener on the address. */
export const isLoopback = (host: string): boolean =>
  host === '::1' || host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));
