const LABEL = /^_?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
/** No top-level domain is a number: `300.1.2.3` is a wrong address and not a name. */
const LAST = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const MAX_NAME_CHARS = 253;

/** A full name of DNS (RFC 1123), or of a service (`_sip._udp.example.com`, RFC 2782). A single word is none. */
export const isHostName = (text: string): boolean => {
  if (text.length > MAX_NAME_CHARS) return false;
  const labels = text.replace(/\.$/, '').split('.');
  return labels.length >= 2 && labels.every((label) => LABEL.test(label)) && LAST.test(labels.at(-1) ?? '');
};

/** Names of services lead to other names. */
export const isServiceName = (name: string): boolean => name.startsWith('_');
