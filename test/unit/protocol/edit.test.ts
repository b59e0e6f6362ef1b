import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { headerIdOf, isParseFault, parseSip, SipEdit } from '../../../src/protocol/sip/message/index.ts';
import type { SipMessage } from '../../../src/protocol/sip/message/index.ts';

const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);

const parse = (bytes: Buffer | string): SipMessage => {
  const message = parseSip(Buffer.from(bytes as string, 'latin1'));
  if (isParseFault(message)) throw new Error(message.detail);
  return message;
};

const TEXT =
  'INVITE sip:a@b SIP/2.0\r\nVia : SIP/2.0/UDP h\r\n ;branch=x\r\nf: <sip:1@h>\r\nFrom:<sip:2@h>\r\n\r\nbody';
const edited = (change: (edit: SipEdit) => unknown): string => {
  const edit = new SipEdit(parse(TEXT));
  change(edit);
  return edit.toBuffer().toString('latin1');
};

test('without a change every byte of every message of the data set stays', () => {
  for (const folder of ['rfc4475', 'rfc3665', 'sipvicious', 'edge']) {
    for (const file of readdirSync(new URL(`${folder}/`, SIP_DATA))) {
      const bytes = readFileSync(new URL(`${folder}/${file}`, SIP_DATA));
      const message = parseSip(bytes);
      if (isParseFault(message)) continue;
      expect({ file, same: new SipEdit(message).toBuffer().equals(bytes) }).toEqual({ file, same: true });
      const put = new SipEdit(message).prepend('Via', 'SIP/2.0/UDP proxy;branch=z9hG4bKours').toBuffer();
      const again = parse(put);
      expect(again.count).toBe(message.count + 1);
      const back = new SipEdit(again).remove(0).toBuffer();
      expect({ file, same: back.equals(bytes) }).toEqual({ file, same: true });
    }
  }
});

test('a value is replaced, folds and all; the name as written and everything else stay', () => {
  expect(edited((edit) => edit.setValue(0, 'SIP/2.0/UDP x'))).toBe(
    TEXT.replace('SIP/2.0/UDP h\r\n ;branch=x', 'SIP/2.0/UDP x'),
  );
});

test('all lines of a header go, compact ones too', () => {
  expect(edited((edit) => edit.removeAll('from'))).toBe(TEXT.replace('f: <sip:1@h>\r\nFrom:<sip:2@h>\r\n', ''));
});

test('several changes at once: first line, last line, Request-URI', () => {
  const text = edited((edit) => edit.append('X', '1').prepend('A', '2').prepend('B', '3').setRequestUri('sip:new'));
  expect(text).toBe(
    TEXT.replace('sip:a@b', 'sip:new')
      .replace('Via :', 'A: 2\r\nB: 3\r\nVia :')
      .replace('\r\n\r\n', '\r\nX: 1\r\n\r\n'),
  );
});

test('a value cannot become a line of its own', () => {
  for (const value of ['a\r\nb', 'a\nb', 'a\0b']) {
    expect(() => new SipEdit(parse(TEXT)).append('X', value)).toThrow('line breaks');
  }
});

test('where a line without colon stands between, its neighbours are found all the same', () => {
  const message = parse('OPTIONS sip:a SIP/2.0\r\nbroken\r\nTo: x\r\n\r\n');
  expect(message.value(message.first(headerIdOf('to')))).toBe('x');
  expect(new SipEdit(message).remove(0).toBuffer().toString()).toBe('OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\r\n');
});
