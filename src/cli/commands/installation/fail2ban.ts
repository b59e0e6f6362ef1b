import { EXIT } from '../../exit-codes.ts';
import { FILTER, JAIL } from '../../fail2ban/files.ts';

/** `companion fail2ban filter|jail`: what goes into filter.d and jail.d. */
export const fail2ban = (what: 'filter' | 'jail'): Promise<number> => {
  process.stdout.write(what === 'filter' ? FILTER : JAIL);
  return Promise.resolve(EXIT.ok);
};
