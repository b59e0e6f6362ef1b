import type { PartyView } from '../../model/index.ts';
import { endOfQuoted, readParameter, unquote } from './parameter.ts';
import { readUri } from './uri.ts';

export const NOBODY: PartyView = { display: '', user: '', host: '', tag: '' };

/**
 * Takes a From or To value apart (RFC 3261 20.10, 20.20): `"Name" <uri>;tag=x`, `Name <uri>;tag=x` or `uri;tag=x`,
 * where in the last form everything behind the first `;` belongs to the header, not to the URI.
 */
export const readParty = (value: string): PartyView => {
  let display = '';
  let from = 0;
  if (value.charCodeAt(0) === 0x22) {
    from = endOfQuoted(value, 0);
    display = unquote(value.slice(0, from));
  }
  const open = value.indexOf('<', from);
  if (open < 0) {
    const end = value.indexOf(';', from);
    const uri = readUri(value.slice(from, end < 0 ? value.length : end).trim());
    return { display, user: uri.user, host: uri.host, tag: end < 0 ? '' : readParameter(value, 'tag', end + 1, ';') };
  }
  if (display === '') display = value.slice(from, open).trim();
  const close = value.indexOf('>', open);
  const uri = readUri(value.slice(open + 1, close < 0 ? value.length : close).trim());
  return { display, user: uri.user, host: uri.host, tag: close < 0 ? '' : readParameter(value, 'tag', close + 1, ';') };
};
