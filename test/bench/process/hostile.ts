import { isParseFault, isSipFault, parseSip, validateBytes, viewOf } from '../../../src/protocol/index.ts';
import { round } from '../report.ts';
import type { Row } from '../report.ts';

/** What a message of this size is filled with, again and again. */
const REPEATS: readonly (readonly [string, string])[] = [
  ['short lines', 'a\r\n'],
  ['lines without colon', 'abcdefgh\r\n'],
  ['empty names', ': x\r\n'],
  ['Via lines', 'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n'],
  ['From lines', 'f: <sip:a@b>;tag=1\r\n'],
  ['Contact lines', 'm: <sip:a@b>\r\n'],
  ['credentials', 'Authorization: Digest username="a"\r\n'],
  ['folds', '\r\n '],
  ['line feeds', 'a: b\n'],
  ['blanks', ' '],
  ['carriage returns', '\r'],
  ['NUL', '\0'],
  ['quotes', '"'],
  ['escaped quotes', '\\"'],
  ['backslashes', '\\'],
  ['open angles', '<'],
  ['parameters', ';a=b'],
  ['empty parameters', ';'],
  ['commas', ','],
  ['open comments', '('],
  ['comments', '()'],
  ['at signs', '@'],
  ['colons', ':'],
  ['percents', '%'],
  ['encoded', '%41'],
  ['brackets', '['],
  ['digits', '9'],
  ['dots', '.'],
  ['UTF-8', '\xc3\xa9'],
  ['half UTF-8', '\xc3'],
];

const HEADERS = [
  '',
  'Via: SIP/2.0/UDP h',
  'From: ',
  'From: "',
  'To: <sip:',
  'Contact: ',
  'CSeq: ',
  'Call-ID: ',
  'User-Agent: ',
  'Authorization: Digest ',
  'Date: ',
  'Warning: ',
  'Content-Type: ',
  'X: ',
];

const KB = 1_024;
const SIZES = [4, 16, 63] as const;

const build = (header: string, piece: string, bytes: number): Buffer =>
  Buffer.from(
    `OPTIONS sip:a@b SIP/2.0\r\n${header}${piece.repeat(Math.ceil(bytes / piece.length)).slice(0, bytes)}\r\nTo: <sip:a@b>\r\n\r\n`,
    'latin1',
  );

const work = (bytes: Buffer): void => {
  const message = parseSip(bytes);
  if (isParseFault(message)) return;
  const view = viewOf(message);
  if (!isSipFault(view)) void view.headers.length;
  validateBytes(bytes, { stream: false, cut: false });
};

/** Best of some runs: the machine is shared, and only the message can make it slow each time. */
const microseconds = (bytes: Buffer): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 4; turn += 1) {
    const began = performance.now();
    work(bytes);
    best = Math.min(best, (performance.now() - began) * 1_000);
  }
  return best;
};

/** Reading and validating messages made to be slow: the time must grow with the size, and with nothing else. */
export const measureHostile = (): Row[] => {
  const worst = SIZES.map(() => ({ us: 0, what: '' }));
  for (const header of HEADERS) {
    for (const [what, piece] of REPEATS) {
      for (const [index, size] of SIZES.entries()) {
        const us = microseconds(build(header, piece, size * KB));
        if (us > worst[index]!.us) worst[index] = { us, what: `${what} in '${header.trim()}'` };
      }
    }
  }
  const [, middle, largest] = worst;
  const growth = largest!.us / middle!.us / (SIZES[2] / SIZES[1]);
  return [
    {
      what: `worst of ${HEADERS.length * REPEATS.length} hostile messages of ${SIZES[2]} KB, read and validated`,
      measured: `${round(largest!.us, 0)} µs (${largest!.what})`,
      beside: `of ${SIZES[1]} KB ${round(middle!.us, 0)} µs: ${round(growth, 2)}× of linear`,
      figures: { us: round(largest!.us, 1), growth: round(growth, 2) },
    },
  ];
};
