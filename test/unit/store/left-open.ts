/** Not a test: a process that hands something over and comes to its end without closing. Argument: the database file. */
import { systemClock } from '../../../src/system/index.ts';
import { openRecords } from '../../../src/store/index.ts';
import { ban, NOW, put } from './samples.ts';

const records = await openRecords({ file: process.argv[2] ?? '', clock: systemClock });
records.remember(put(ban('198.51.100.7')), NOW);
