/** How a name-addr is written. */
export const PARTY_FORMS = ['none', 'star', 'bare', 'bracket', 'other'] as const;
export const DISPLAYS = ['none', 'quoted', 'token'] as const;

/** Bits of a Contact, in this order. */
export const CONTACT_MARKS = ['port', 'transport', 'expires', 'instance', 'q', 'other-user'] as const;

/** `sip:user@host`, with or without brackets and name; three codes packed: form, display, blank before the bracket. */
export const partyShape = (value: string): number => {
  if (value === '') return 0;
  const bracket = value.indexOf('<');
  if (bracket < 0) {
    const scheme = value.slice(0, 5).toLowerCase();
    const form = value === '*' ? 'star' : scheme.startsWith('sip:') || scheme === 'sips:' ? 'bare' : 'other';
    return PARTY_FORMS.indexOf(form) << 4;
  }
  const form = PARTY_FORMS.indexOf('bracket') << 4;
  if (bracket === 0) return form;
  const display = DISPLAYS.indexOf(value.startsWith('"') ? 'quoted' : 'token') << 1;
  const before = value.charCodeAt(bracket - 1);
  return form | display | (before === 0x20 || before === 0x09 ? 1 : 0);
};

/** `bracket quoted, blank before <`. */
export const partyText = (shape: number): string => {
  const display = DISPLAYS[(shape >> 1) & 3] ?? 'none';
  const form = PARTY_FORMS[shape >> 4] ?? '?';
  if (display === 'none') return form;
  return `${form} ${display}, ${(shape & 1) === 1 ? 'blank' : 'no blank'} before <`;
};

/** A port behind the host; the colons of an IPv6 address stand inside its brackets. */
const hasPort = (value: string, start: number): boolean => {
  const bracket = value.indexOf(']', start);
  const colon = value.indexOf(':', bracket < 0 ? start : bracket);
  const code = colon < 0 ? 0 : value.charCodeAt(colon + 1);
  return code >= 0x30 && code <= 0x39;
};

/** Bits of CONTACT_MARKS that a Contact shows; `other-user`: it names somebody else than From. */
export const contactMarks = (value: string, fromUser: string): number => {
  if (value === '') return 0;
  const at = value.indexOf('@');
  const start = value.indexOf(':') + 1;
  const user = at < start ? '' : value.slice(start, at);
  let bits = user === fromUser ? 0 : 32;
  if (hasPort(value, Math.max(at, start))) bits |= 1;
  if (!value.includes(';')) return bits;
  if (value.includes(';transport=')) bits |= 2;
  if (value.includes(';expires=')) bits |= 4;
  if (value.includes('+sip.instance')) bits |= 8;
  if (value.includes(';q=')) bits |= 16;
  return bits;
};

export const contactText = (bits: number): string => {
  const marks = CONTACT_MARKS.filter((_, bit) => (bits & (1 << bit)) !== 0);
  return marks.length === 0 ? 'plain' : marks.join(' ');
};
