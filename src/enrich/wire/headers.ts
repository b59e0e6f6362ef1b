/**
 * Every header that the shape of a message knows by name, as RFC 3261 and its extensions write it. The place in the list
 * is the header's number in the id: append, never insert, never reorder (operators share ids).
 */
const NAMES = [
  'Via', 'Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Content-Length', 'Content-Type', 'Allow',
  'Supported', 'Expires', 'Accept', 'Route', 'Record-Route', 'Require', 'Proxy-Require', 'Event', 'Subject', 'Date',
  'Allow-Events', 'Accept-Encoding', 'Accept-Language', 'Organization', 'P-Asserted-Identity', 'P-Preferred-Identity',
  'Remote-Party-ID', 'Privacy', 'Session-Expires', 'Min-SE', 'Refer-To', 'Referred-By', 'Replaces', 'Diversion',
  'Content-Disposition', 'Content-Encoding', 'Content-Language', 'MIME-Version', 'Priority', 'Path', 'Service-Route',
  'P-Access-Network-Info', 'Security-Client', 'Security-Verify', 'User-to-User', 'Alert-Info', 'Call-Info',
  'In-Reply-To', 'Reply-To', 'Timestamp', 'Warning', 'Retry-After', 'Join', 'Identity', 'Geolocation', 'Reason',
  'History-Info', 'P-Charging-Vector', 'Answer-Mode', 'Subscription-State', 'RAck', 'RSeq', 'SIP-If-Match', 'X-Asterisk-HangupCause',
] as const; // prettier-ignore

/** Left out of the shape: what a tool is renamed by, and what comes and goes within one conversation. */
const SKIPPED = ['User-Agent', 'Server', 'Authorization', 'Proxy-Authorization'] as const;

/** RFC 3261 7.3.3 and the registry of compact forms. */
const COMPACT: Readonly<Record<string, string>> = {
  v: 'Via', f: 'From', t: 'To', i: 'Call-ID', m: 'Contact', l: 'Content-Length', c: 'Content-Type', k: 'Supported',
  o: 'Event', s: 'Subject', u: 'Allow-Events', r: 'Refer-To', b: 'Referred-By', e: 'Content-Encoding',
  x: 'Session-Expires', y: 'Identity',
}; // prettier-ignore

/** How a name is spelled: as the RFC does, in small letters, in capitals, in its compact form, or in any other way. */
export const SPELLINGS = ['rfc', 'lower', 'upper', 'compact', 'odd'] as const;

export const UNKNOWN_HEADER = NAMES.length + 1;
export const SKIPPED_HEADER = 0;

export interface HeaderName {
  /** Place in the list from 1 on, SKIPPED_HEADER or UNKNOWN_HEADER. */
  readonly id: number;
  /** Index into SPELLINGS. */
  readonly spelling: number;
}

const KNOWN: ReadonlyMap<string, number> = new Map([
  ...NAMES.map((name, index) => [name.toLowerCase(), index + 1] as const),
  ...SKIPPED.map((name) => [name.toLowerCase(), SKIPPED_HEADER] as const),
  ...Object.entries(COMPACT).map(([short, name]) => [short, (NAMES as readonly string[]).indexOf(name) + 1] as const),
]);

/** The spellings that are seen all day, so that nothing is copied for them. */
const SPELLED: ReadonlyMap<string, HeaderName> = new Map([
  ...Object.keys(COMPACT).flatMap((short) => {
    const name = { id: KNOWN.get(short) ?? 0, spelling: SPELLINGS.indexOf('compact') };
    return [[short, name] as const, [short.toUpperCase(), name] as const];
  }),
  ...[...NAMES, ...SKIPPED].flatMap((name) => {
    const id = KNOWN.get(name.toLowerCase()) ?? 0;
    return (['upper', 'lower', 'rfc'] as const).map((spelling) => {
      const text = spelling === 'upper' ? name.toUpperCase() : spelling === 'lower' ? name.toLowerCase() : name;
      return [text, { id, spelling: SPELLINGS.indexOf(spelling) }] as const;
    });
  }),
]);

/** One name of a slot, and what else is in it. */
interface Slot {
  readonly text: string;
  readonly known: HeaderName;
  readonly next: Slot | undefined;
}

/** The usual spellings by length and first letter: a comparison or two instead of a hash of each name. */
const slotOf = (name: string): number => (name.length << 5) | (name.charCodeAt(0) & 31);
const USUAL: (Slot | undefined)[] = Array.from({ length: 1_024 }, () => undefined);
for (const [text, known] of SPELLED) {
  const slot = slotOf(text);
  if (known.spelling === SPELLINGS.indexOf('rfc')) USUAL[slot] = { text, known, next: USUAL[slot] };
}

const LONGEST = Math.max(...[...KNOWN.keys()].map((name) => name.length));
const ODD = SPELLINGS.indexOf('odd');
/** Names that nobody registered are spelled as their inventor pleases: that says nothing. */
const STRANGE: HeaderName = { id: UNKNOWN_HEADER, spelling: 0 };

/** What a header is and how it is spelled. */
export const headerName = (name: string): HeaderName => {
  const slot = slotOf(name);
  for (let usual = slot < USUAL.length ? USUAL[slot] : undefined; usual !== undefined; usual = usual.next)
    if (usual.text === name) return usual.known;
  const spelled = SPELLED.get(name);
  if (spelled !== undefined) return spelled;
  const id = name.length > LONGEST ? undefined : KNOWN.get(name.toLowerCase());
  return id === undefined ? STRANGE : { id, spelling: ODD };
};

/** Full name in small letters, for people: `call-id`; `?` for a header that is not in the list. */
export const headerText = (id: number): string => NAMES[id - 1]?.toLowerCase() ?? '?';

/** Full name in small letters of a name in any spelling or form. */
export const canonicalHeader = (name: string): string => {
  const lower = name.toLowerCase();
  return COMPACT[lower]?.toLowerCase() ?? lower;
};

/** Whether a name, in any spelling or form, is that header; its first letter is looked at before anything is copied. */
export const isHeader = (name: string, full: string): boolean => {
  if (name.length === full.length)
    return (name.charCodeAt(0) | 0x20) === full.charCodeAt(0) && name.toLowerCase() === full;
  return name.length === 1 && canonicalHeader(name) === full;
};

/** First value of the header with that full, lower-case name, or an empty string. */
export const firstValue = (
  headers: readonly { readonly name: string; readonly value: string }[],
  full: string,
): string => {
  for (const { name, value } of headers) if (isHeader(name, full)) return value;
  return '';
};
