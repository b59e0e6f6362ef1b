/**
 * Not a test: the process that `kill.test.ts` kills. Remembers bans without end and prints the number of the last one
 * that a flush has confirmed. Argument: the database file.
 */
import { systemClock } from '../../../src/system/index.ts';
import { openRecords } from '../../../src/store/index.ts';
import { auditLine, ban, good, NOW, put, remove } from './samples.ts';

const records = await openRecords({ file: process.argv[2] ?? '', clock: systemClock });
for (let number = 0; ;) {
  for (const end = number + 300; number < end; number++) {
    records.remember(put(ban(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`)), NOW);
    records.remember(put(good('192.0.2.1', 'alice', { until: NOW + number + 1 })), NOW);
    if (number % 3 === 0)
      records.remember(remove(ban(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`), 'operator'), NOW + 1);
    records.audit(auditLine({ detail: String(number) }));
  }
  await records.flush();
  // Written at once, whatever the kind of stdout: what is printed is a promise.
  (await import('node:fs')).writeSync(1, `${number}\n`);
}
