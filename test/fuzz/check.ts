import {
  classifyKeepAlive,
  createValidity,
  isParseFault,
  isSipFault,
  parseSip,
  validateBytes,
  viewOf,
} from '../../src/protocol/index.ts';
import { SipEdit, StreamFraming } from '../../src/protocol/sip/message/index.ts';
import type { SipMessage } from '../../src/protocol/sip/message/index.ts';
import { findViolations } from '../../src/protocol/sip/validate/index.ts';
import type { Random } from './mutate.ts';

const POLICIES = (['permissive', 'strict', 'paranoid'] as const).map((mode) =>
  createValidity({ mode, disabled_rules: [], rules: {} }),
);

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

/** The index covers the message without gaps, in order, within its bytes. */
const checkIndex = (message: SipMessage): void => {
  const { bytes, count } = message;
  let at = message.start.to;
  for (let line = 0; line < count; line += 1) {
    must(message.nameStart(line) >= at, 'lines are in order');
    must(message.nameEnd(line) >= message.nameStart(line), 'a name ends behind its start');
    must(message.valueEnd(line) >= message.valueStart(line), 'a value ends behind its start');
    must(message.valueEnd(line) <= message.lineEnd(line), 'a value ends within its line');
    at = message.valueEnd(line);
  }
  must(at <= message.headersEnd && message.headersEnd <= message.bodyStart, 'headers end before the body');
  must(message.bodyStart <= bytes.length, 'the body begins within the message');
  must(new SipEdit(message).toBuffer().equals(bytes), 'no edit, no change');
};

const checkView = (message: SipMessage): void => {
  const view = viewOf(message);
  if (isSipFault(view)) return;
  const texts = [view.requestUri, view.requestUser, view.callId, view.contact, view.viaBranch, view.authUser];
  must(
    [...texts, ...view.userAgents, ...Object.values(view.from), ...Object.values(view.to)].every(
      (text) => text.length <= 1_024,
    ),
    'texts are bounded',
  );
  must(view.headers.length <= 128 && view.tricks.length <= 8, 'lists are bounded');
};

/** What a stream says must not depend on where it was cut. */
const checkFraming = (bytes: Buffer, random: Random): void => {
  const read = (pieces: readonly Buffer[]): string => {
    const framing = new StreamFraming();
    const said = pieces.flatMap((piece) => framing.push(piece));
    must(framing.heldBytes <= 65_536, 'a stream holds one message');
    return JSON.stringify(said.map((one) => (one.kind === 'message' ? one.bytes.toString('base64') : one)));
  };
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(300);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  must(read(pieces) === read([bytes]), 'a stream is read the same however it is cut');
};

/** Everything that must hold for any bytes. @throws Error that says what does not */
export const check = (bytes: Buffer, random: Random): void => {
  classifyKeepAlive(bytes);
  const message = parseSip(bytes);
  const arrival = { stream: random(2) === 1, cut: random(8) === 0 };
  const validated = validateBytes(bytes, arrival);
  must(validated.violations.length <= 32, 'violations are bounded');
  for (const { offset } of validated.violations)
    must(offset >= 0 && offset <= bytes.length, 'offsets are within the message');
  const [permissive, strict, paranoid] = POLICIES.map((policy) => policy(validated.violations, validated).verdict);
  if (paranoid === 'accept') must(strict === 'accept', 'what paranoid takes strict takes');
  if (strict === 'accept') must(permissive === 'accept', 'what strict takes permissive takes');
  if (isParseFault(message)) {
    must(message.offset >= 0 && message.offset <= 65_535, 'the fault is within the message');
  } else {
    checkIndex(message);
    checkView(message);
    const again = findViolations(message, arrival);
    must(JSON.stringify(again) === JSON.stringify(validated.violations), 'the same message, the same violations');
  }
  checkFraming(bytes, random);
};
