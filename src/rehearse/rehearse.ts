import type { CompanionConfig } from '../judging/index.ts';
import { CompanionError, escapeText } from '../model/index.ts';
import { readCapture } from '../protocol/index.ts';
import type { CapturedMessage, Drop } from '../protocol/index.ts';
import { createArrivals } from './arrivals.ts';
import { readChunks } from './read-file.ts';
import { createReplay } from './replay.ts';
import type { ReplayTotals, SourceRow } from './replay.ts';
import { SURVEY_MESSAGES, Servers } from './servers.ts';

/** Held while the servers are looked for. */
const MAX_SURVEY_BYTES = 67_108_864;

/** Between two recordings that do not follow each other, as both are one day at one site. */
const BETWEEN_RECORDINGS_MS = 1_000;

export interface RehearseOptions {
  readonly files: readonly string[];
  /** Addresses of the server; found out when there are none. */
  readonly servers?: readonly string[];
  /** Each judges the same messages by itself. */
  readonly policies: readonly CompanionConfig[];
  /** Told of the bytes that were read so far. */
  readonly progress?: (bytes: number) => void;
}

export interface Rehearsed {
  readonly servers: readonly string[];
  /** What was not judged, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly firstAt: number;
  readonly lastAt: number;
  /** One for each policy, in their order. */
  readonly results: readonly { readonly rows: readonly SourceRow[]; readonly totals: ReplayTotals }[];
}

interface Recording {
  readonly messages: Iterator<CapturedMessage>;
  readonly ahead: readonly CapturedMessage[];
}

/**
 * A message that may be held: a view into its chunk would hold all of that. The ends are copied as well: once objects of
 * one place of the code have lived long, V8 puts all that come from there among the old ones, where each costs more.
 */
const detached = ({ at, from, to, transport, bytes, cut }: CapturedMessage): CapturedMessage => ({
  at,
  from: { ip: from.ip, port: from.port },
  to: { ip: to.ip, port: to.port },
  transport,
  bytes: Buffer.from(bytes),
  cut,
});

/** Opens a file and holds its first messages. @throws CompanionError CAPTURE_UNREADABLE */
const open = (file: string, chunks: Iterable<Buffer>, drop: Drop): Recording => {
  const reasons = new Set<string>();
  const captured = readCapture(chunks, (reason) => {
    reasons.add(reason);
    drop(reason);
  });
  const messages = captured[Symbol.iterator]();
  const ahead: CapturedMessage[] = [];
  let bytes = 0;
  while (ahead.length < SURVEY_MESSAGES && bytes < MAX_SURVEY_BYTES) {
    const next = messages.next();
    if (next.done === true) break;
    ahead.push(detached(next.value));
    bytes += next.value.bytes.length;
  }
  if (ahead.length > 0) return { messages, ahead };
  const why = reasons.has('compressed')
    ? 'it is compressed; unpack it first, for example gunzip -c FILE | companion replay -'
    : reasons.has('unknown-format')
      ? 'it is no pcap, pcapng, HEP capture or JSONL timeline'
      : `it holds no message${reasons.size === 0 ? '' : ` (${[...reasons].join(', ')})`}`;
  throw new CompanionError('CAPTURE_UNREADABLE', `Cannot read the capture ${escapeText(file, 200)}: ${why}.`);
};

/**
 * Replays captures, one after the other, as if companion had been there. Time is that of the messages.
 * @throws CompanionError CAPTURE_UNREADABLE
 */
export const rehearse = (options: RehearseOptions): Rehearsed => {
  const drops: Record<string, number> = {};
  const drop: Drop = (reason) => void (drops[reason] = (drops[reason] ?? 0) + 1);
  let read = 0;
  const counted = function* (file: string): Generator<Buffer> {
    for (const chunk of readChunks(file)) {
      read += chunk.length;
      yield chunk;
      options.progress?.(read);
    }
  };
  const servers = new Servers(options.servers);
  const arrivals = createArrivals(servers, drop);
  let replays: ReturnType<typeof createReplay>[] | undefined;
  let firstAt = Infinity;
  let lastAt = -Infinity;
  let shift = 0;

  const take = (message: CapturedMessage): void => {
    const at = message.at + shift;
    firstAt = Math.min(firstAt, at);
    lastAt = Math.max(lastAt, at);
    const arrival = arrivals(shift === 0 ? message : { ...message, at });
    if (arrival === undefined) return;
    for (const replay of replays ?? []) replay.take(arrival);
  };

  for (const file of options.files) {
    const { messages, ahead } = open(file, counted(file), drop);
    servers.survey(ahead);
    replays ??= options.policies.map((policy) => createReplay(policy, servers.addresses));
    const start = ahead[0]!.at;
    // files of one capture follow each other; another recording is put behind the last
    shift = start >= lastAt ? 0 : lastAt + BETWEEN_RECORDINGS_MS - start;
    for (const message of ahead) take(message);
    for (let next = messages.next(); next.done !== true; next = messages.next()) take(next.value);
  }
  return {
    servers: servers.addresses,
    drops,
    firstAt,
    lastAt,
    results: (replays ?? []).map((replay) => ({ rows: replay.rows(), totals: replay.totals() })),
  };
};
