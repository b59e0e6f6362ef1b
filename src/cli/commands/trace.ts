import type { TraceEvent } from '../../model/index.ts';
import { follow } from '../follow.ts';
import type { CommonOptions } from '../options.ts';
import { fit, formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';

const ANSWER_STYLE: Readonly<Record<Exclude<TraceEvent['answer'], ''>, Style>> = {
  allow: 'green',
  drop: 'red',
  challenge: 'yellow',
};

/** One line: time, answer, where from, what, who, what was found, what followed, the score after it. */
const line = (event: TraceEvent): string => {
  const answer =
    event.answer === '' ? paint('dim', 'outcome'.padEnd(9)) : paint(ANSWER_STYLE[event.answer], event.answer.padEnd(9));
  const { proven, spoofable } = event.score;
  const parts = [
    `${shown(event.transport)}:${event.port} ${shown(event.what)}`,
    ...(event.user === '' ? [] : [`user '${shown(event.user)}'`]),
    ...(event.target === '' ? [] : [`to '${shown(event.target)}'`]),
    ...(event.credentials === '' || event.credentials === 'none' ? [] : [`credentials ${shown(event.credentials)}`]),
    `${shown(event.state)}${event.standing === '' || event.standing === 'stranger' ? '' : ` (server: ${shown(event.standing)})`}`,
    ...event.findings.map(({ rule, points }) => `[${shown(rule)} +${points} ${event.tier}]`),
    ...event.changes.map((change) => `→ ${shown(change)}`),
    `score ${Math.round(proven)}/${Math.round(spoofable)}`,
    ...(event.wire === '' ? [] : [shown(event.tool === '' ? event.wire : `${event.wire} (${event.tool})`)]),
    ...(event.userAgent === '' ? [] : [`| ${shown(event.userAgent)}`]),
  ];
  const time = formatTime(event.at);
  return `${paint('dim', time)} ${answer} ${fit(parts.join(' '), terminalWidth() - time.length - 11)}`;
};

/** `companion trace IP`: everything that is judged of one source, until Ctrl-C. Score: proven/spoofable points. */
export const trace = (ip: string, options: CommonOptions): Promise<number> =>
  follow({ method: 'trace', params: { ip }, banner: `Tracing; Ctrl-C ends.`, what: 'events', line, options });
