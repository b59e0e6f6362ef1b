import { CompanionError } from '../../model/index.ts';

/** Types of Kamailio's secfilter table, by number and by the word of its RPC; what each is called here. */
const TYPES: Readonly<Record<string, string>> = {
  '0': 'ua',
  '1': 'country',
  '2': 'domain',
  '3': 'ip',
  '4': 'user',
};
const ELSEWHERE: Readonly<Record<string, string>> = {
  ua: 'a User-Agent: put it into agents.extra of the configuration',
  country: 'a country: put it into blocked_countries or allowed_countries of the configuration',
  domain: 'a domain; companion has no list of those',
  user: 'a user; companion has no list of those (one that nobody was ever given may stand in detect.honey.users)',
};

/** The numbers of secfilter's column `action`. */
const ACTIONS: Readonly<Record<string, 'deny' | 'allow' | 'destination'>> = {
  '0': 'deny',
  '1': 'allow',
  '2': 'destination',
};

const V4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** secfilter compares the beginning of the text: `203.0.113.` is a network. */
const networkOf = (data: string): string => {
  const octets = data.replace(/\.$/, '').split('.');
  const whole = octets.every((octet) => /^\d{1,3}$/.test(octet));
  if (!whole || octets.length === 4 || (octets.length < 3 && !data.endsWith('.'))) return data;
  return `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${octets.length * 8}`;
};

/**
 * The address of one row of secfilter.
 * @param list the list that is imported; bans take what the deny list takes
 * @returns undefined for a row that belongs to the other list
 * @throws CompanionError REQUEST_INVALID for what is no address
 */
export const secfilterSubject = (
  { action = '', type = '', data = '' }: Readonly<Record<string, string | undefined>>,
  list: 'ban' | 'allow' | 'deny',
): string | undefined => {
  const named = TYPES[type] ?? type.toLowerCase();
  // the module's own documentation puts an address among the domains
  const kind = named === 'domain' && V4.test(data) ? 'ip' : named;
  const wanted = list === 'allow' ? 'allow' : 'deny';
  const does = ACTIONS[action];
  if (does === undefined || does === 'destination')
    throw new CompanionError(
      'REQUEST_INVALID',
      `This row of secfilter is about ${does ?? `action ${action.slice(0, 20)}`}: not an address.`,
    );
  if (does !== wanted) return undefined;
  if (kind === 'ip') return networkOf(data);
  throw new CompanionError(
    'REQUEST_INVALID',
    `This row of secfilter is ${ELSEWHERE[kind] ?? `of type ${type.slice(0, 20)}`}.`,
  );
};
