/**
 * Recognises attack tools by how they build a message, whatever name they give themselves. In: a `SipView`. Out: the
 * mark with the lowest risk of a false alarm, or null. One file per tool; must never match a genuine phone, must never
 * repeat a password that a tool carries in its messages.
 */
import type { SipView } from '../../model/index.ts';
import { readNmap } from './nmap.ts';
import { readSipcli } from './sipcli.ts';
import { readSipp } from './sipp.ts';
import { readSippts } from './sippts.ts';
import { readSipvicious } from './sipvicious.ts';
import type { MarkReader, WireMark } from './wire-mark.ts';

const READERS: readonly MarkReader[] = [readSipvicious, readSippts, readSipcli, readNmap, readSipp];

const RISK_ORDER = { low: 0, medium: 1, high: 2 } as const;

export const readFingerprint = (sip: SipView): WireMark | null => {
  let best: WireMark | null = null;
  for (const read of READERS) {
    const mark = read(sip);
    if (mark === null) continue;
    if (mark.risk === 'low') return mark;
    if (best === null || RISK_ORDER[mark.risk] < RISK_ORDER[best.risk]) best = mark;
  }
  return best;
};

export type { WireMark } from './wire-mark.ts';
