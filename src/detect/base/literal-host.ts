const PORT = /:\d{1,5}$/;
const V4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** A host without its port and without the brackets of IPv6, in small letters. */
export const bareHost = (host: string): string => {
  if (host.startsWith('[')) return host.slice(1).replace(/\].*$/, '').toLowerCase();
  return (host.includes('::') ? host : host.replace(PORT, '')).toLowerCase();
};

/** Is a bare host an address, not a name? */
export const isLiteralHost = (host: string): boolean => V4.test(host) || host.includes(':');
