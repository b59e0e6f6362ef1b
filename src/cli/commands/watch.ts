import { formatDuration } from '../../model/index.ts';
import type { DecisionEvent } from '../../model/index.ts';
import { follow } from '../follow.ts';
import type { CommonOptions } from '../options.ts';
import { fit, formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';

const CHANGE_STYLE: Readonly<Record<DecisionEvent['change'], Style>> = {
  ban: 'red',
  deny: 'red',
  quarantine: 'yellow',
  throttle: 'yellow',
  'throttle-user': 'yellow',
  good: 'green',
  allow: 'cyan',
  lift: 'cyan',
  'false-alarm': 'yellow',
};

const WIDEST_CHANGE = 'throttle-user'.length;

/** One line: time, change, whom, how long, why, and what was seen. */
const line = (event: DecisionEvent): string => {
  const length =
    event.change === 'lift' ? '' : ` for ${event.until === null ? 'ever' : formatDuration(event.until - event.at)}`;
  const rules = event.rules.length === 0 ? '' : ` [${event.rules.map(shown).join(' ')}]`;
  const seen = event.evidence === '' ? '' : ` | ${shown(event.evidence)}`;
  const shadow = event.shadow ? ' (shadow: not enforced)' : '';
  const change = shown(event.change).padEnd(WIDEST_CHANGE);
  const rest = `${shown(event.subject)}${length}${shadow}: ${shown(event.reason)}${rules}${seen}`;
  const time = formatTime(event.at);
  const room = terminalWidth() - time.length - WIDEST_CHANGE - 2;
  return `${paint('dim', time)} ${paint(CHANGE_STYLE[event.change] ?? 'bold', change)} ${fit(rest, room)}`;
};

/** `companion watch`: every decision as it is made, until Ctrl-C (exit 0). */
export const watch = (options: CommonOptions): Promise<number> =>
  follow({ method: 'watch', params: {}, banner: 'Watching decisions; Ctrl-C ends.', what: 'decisions', line, options });
