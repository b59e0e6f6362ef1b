/** Value of the first line of that type (`s=`, `o=`) in the start of an SDP body, or an empty string. RFC 8866 5. */
const lineOf = (body: string, type: 's' | 'o'): string => {
  if (body === '') return '';
  const mark = `${type}=`;
  const start = body.startsWith(mark) ? 0 : body.indexOf(`\n${mark}`) + 1;
  if (start === 0 && !body.startsWith(mark)) return '';
  const end = body.indexOf('\n', start);
  return body.slice(start + 2, end < 0 ? undefined : end).trim();
};

/** Session name, `s=`. */
export const sessionName = (body: string): string => lineOf(body, 's');

/** User name of the origin, `o=`: its first word. */
export const originUser = (body: string): string => {
  const line = lineOf(body, 'o');
  const blank = line.indexOf(' ');
  return blank < 0 ? line : line.slice(0, blank);
};

export const SDP_BODIES = ['none', 'sdp', 'other'] as const;
/** A name of its own is not told apart further: it would be the first thing that a tool changes. */
export const SESSION_NAMES = ['none', 'empty', '-', 'word', 'words'] as const;
export const ORIGINS = ['none', '-', 'decimal', 'word'] as const;
/** Session id and version of the origin: the same, one apart, or anything else. */
export const VERSIONS = ['none', 'same', 'next', 'apart'] as const;

const DECIMAL = /^\d{1,32}$/;

const versionOf = (id: string, version: string): (typeof VERSIONS)[number] => {
  if (id === '' || version === '') return 'none';
  if (id === version) return 'same';
  return Math.abs(Number(version) - Number(id)) === 1 ? 'next' : 'apart';
};

/** Four codes: the body, `s=`, the user of `o=`, its id against its version. */
export const sdpShape = (body: string): readonly [number, number, number, number] => {
  if (body === '') return [0, 0, 0, 0];
  if (!body.startsWith('v=') && !body.includes('\no=')) return [SDP_BODIES.indexOf('other'), 0, 0, 0];
  const session = sessionName(body);
  const name = session === '' ? 'empty' : session === '-' ? '-' : session.includes(' ') ? 'words' : 'word';
  const [user = '', id = '', version = ''] = lineOf(body, 'o').split(' ', 3);
  const origin = user === '' ? 'none' : user === '-' ? '-' : DECIMAL.test(user) ? 'decimal' : 'word';
  return [
    SDP_BODIES.indexOf('sdp'),
    SESSION_NAMES.indexOf(name),
    ORIGINS.indexOf(origin),
    VERSIONS.indexOf(versionOf(id, version)),
  ];
};
