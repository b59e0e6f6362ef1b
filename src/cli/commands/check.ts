import type { CheckReport } from '../../model/index.ts';
import { ask } from '../ask.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { placeText } from '../output/place.ts';
import { formatLeft, formatTime, paint, shown } from '../output/text.ts';
import type { Style } from '../output/text.ts';

/** Exit codes, so that a shell script can ask. Whatever goes wrong is 3. */
const RESULT_EXIT: Readonly<Record<CheckReport['result'], number>> = { clear: 0, blocked: 1, allowed: 2 };
const RESULT_STYLE: Readonly<Record<CheckReport['result'], Style>> = {
  clear: 'green',
  blocked: 'red',
  allowed: 'cyan',
};

/** `companion check IP`. */
export const check = async (ip: string, options: CommonOptions): Promise<number> => {
  const report = await ask(options, (client) => client.call<CheckReport>('check', { ip }));
  if (options.json) printJson(report);
  else {
    const end =
      report.until === null ? '' : ` until ${formatTime(report.until)} (${formatLeft(report.until, Date.now())})`;
    const reason = report.reason === '' ? '' : `: ${shown(report.reason)}`;
    const state = report.state === report.result ? '' : ` (${shown(report.state)})`;
    printLines([
      `${shown(report.ip)} is ${paint(RESULT_STYLE[report.result] ?? 'bold', shown(report.result))}${state}${end}${reason}${placeText(report.place) === '' ? '' : ` [${shown(placeText(report.place))}]`}${report.shadow === true && report.result === 'blocked' ? '; shadow mode: decided, not enforced' : ''}`,
    ]);
  }
  return RESULT_EXIT[report.result] ?? 3;
};
