/** What attackers do to the name of a tool. */
export const DISGUISES = ['no-agent', 'renamed', 'folded', 'capitals', 'two-agents'] as const;
export type Disguise = (typeof DISGUISES)[number];

const OTHER_NAME = 'Yealink SIP-T46U 108.86.0.20';
const AGENT_LINE = /^user-agent[ \t]*:[ \t]*(.*)$/i;

/** The lines of the head, each with its folds; and everything from the empty line on. */
const split = (text: string): { readonly lines: readonly string[]; readonly rest: string; readonly end: string } => {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const empty = text.indexOf(end + end);
  const head = empty < 0 ? text : text.slice(0, empty);
  const lines: string[] = [];
  for (const line of head.split(end)) {
    if (/^[ \t]/.test(line) && lines.length > 0) lines.push(`${lines.pop() ?? ''}${end}${line}`);
    else lines.push(line);
  }
  return { lines, rest: empty < 0 ? '' : text.slice(empty), end };
};

const change = (disguise: Disguise, name: string, end: string): readonly string[] => {
  switch (disguise) {
    case 'no-agent':
      return [];
    case 'renamed':
      return [`User-Agent: ${OTHER_NAME}`];
    case 'folded':
      return [`User-Agent:${end} ${name}`];
    case 'capitals':
      return [`USER-AGENT: ${name.toUpperCase()}`];
    case 'two-agents':
      return [`User-Agent: ${OTHER_NAME}`, `User-Agent: ${name}`];
  }
};

/** The same message under another name; replies stay as they are. */
export const disguised = (bytes: Buffer, disguise: Disguise): Buffer => {
  const text = bytes.toString('latin1');
  if (text.startsWith('SIP/2.0 ')) return bytes;
  const { lines, rest, end } = split(text);
  const kept: string[] = [];
  let seen = false;
  for (const line of lines) {
    const name = AGENT_LINE.exec(line.replaceAll(/\r?\n[ \t]+/g, ' '))?.[1];
    if (name === undefined) kept.push(line);
    else if (!seen) {
      seen = true;
      kept.push(...change(disguise, name, end));
    }
  }
  // who had no name gets one where a new name is the disguise
  if (!seen && (disguise === 'renamed' || disguise === 'two-agents')) kept.push(...change('renamed', '', end));
  return Buffer.from(kept.join(end) + (rest === '' ? end + end : rest), 'latin1');
};
