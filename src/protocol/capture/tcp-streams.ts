import { LRUCache } from 'lru-cache';
import type { Drop } from './captured-message.ts';
import { StreamFramer } from './stream-framer.ts';

/** Directions of connections that are followed, and what waits in each for a missing segment. */
const MAX_FLOWS = 20_000;
const MAX_WAITING_SEGMENTS = 32;
const MAX_WAITING_BYTES = 131_072;

const HEADER_BYTES = 20;
const FIN = 1;
const SYN = 2;
const RST = 4;

interface Flow {
  /** Sequence number of the next byte; unknown at the start of a capture. */
  next: number | undefined;
  waiting: { readonly sequence: number; readonly bytes: Buffer }[];
  waitingBytes: number;
  readonly framer: StreamFramer;
}

/** How far `a` is behind `b` in a space of 2^32 numbers: negative when it comes first. */
const distance = (a: number, b: number): number => (a - b) | 0;

/** Puts the segments of connections in order and cuts them into SIP messages. */
export class TcpStreams {
  readonly #flows = new LRUCache<string, Flow>({ max: MAX_FLOWS });
  readonly #drop: Drop;

  constructor(drop: Drop) {
    this.#drop = drop;
  }

  /** @param source, destination `ip port` of both ends, as keys */
  *push(source: string, destination: string, segment: Buffer): Generator<Buffer> {
    if (segment.length < HEADER_BYTES) return this.#drop('tcp-header');
    const flags = segment[13]!;
    const header = (segment[12]! >> 4) * 4;
    if (header < HEADER_BYTES || header > segment.length) return this.#drop('tcp-header');
    const key = `${source} ${destination}`;
    if ((flags & RST) !== 0) return void this.#flows.delete(key);
    const sequence = segment.readUInt32BE(4);
    let flow = this.#flows.get(key);
    if (flow === undefined || (flags & SYN) !== 0) {
      flow = { next: undefined, waiting: [], waitingBytes: 0, framer: new StreamFramer(this.#drop) };
      if ((flags & SYN) !== 0) {
        flow.next = (sequence + 1) >>> 0;
        flow.framer.begin();
      }
      this.#flows.set(key, flow);
    }
    const bytes = segment.subarray(header);
    if (bytes.length > 0) {
      // whoever forges a segment gets no answer to it, and without one there is no connection that proves its address
      if (!this.#flows.has(`${destination} ${source}`)) return this.#drop('tcp-one-sided');
      yield* this.#take(flow, sequence, bytes);
    }
    if ((flags & FIN) !== 0 && flow.waiting.length === 0) this.#flows.delete(key);
  }

  *#take(flow: Flow, sequence: number, bytes: Buffer): Generator<Buffer> {
    flow.next ??= sequence;
    const ahead = distance(sequence, flow.next);
    if (ahead > 0) {
      flow.waiting.push({ sequence, bytes: Buffer.from(bytes) });
      flow.waitingBytes += bytes.length;
      if (flow.waiting.length <= MAX_WAITING_SEGMENTS && flow.waitingBytes <= MAX_WAITING_BYTES) return;
      // what is missing was not captured: go on behind it
      this.#drop('tcp-gap');
      flow.waiting.sort((a, b) => distance(a.sequence, b.sequence));
      flow.next = flow.waiting[0]!.sequence;
      flow.framer.lost();
    } else yield* this.#deliver(flow, bytes.subarray(-ahead));
    for (;;) {
      const { next } = flow;
      const index = flow.waiting.findIndex((one) => distance(one.sequence, next!) <= 0);
      if (index < 0) return;
      const [segment] = flow.waiting.splice(index, 1);
      flow.waitingBytes -= segment!.bytes.length;
      yield* this.#deliver(flow, segment!.bytes.subarray(-distance(segment!.sequence, next!)));
    }
  }

  /** @param bytes those that were not delivered yet: none when a segment came again */
  *#deliver(flow: Flow, bytes: Buffer): Generator<Buffer> {
    if (bytes.length === 0) return;
    flow.next = (flow.next! + bytes.length) >>> 0;
    yield* flow.framer.push(bytes);
  }
}
