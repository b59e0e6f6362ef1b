import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { companionSchema } from '../../../src/judging/index.ts';
import { rehearse } from '../../../src/rehearse/index.ts';
import type { SourceRow } from '../../../src/rehearse/index.ts';
import type { Wire } from './message.ts';
import type { Answer } from './server.ts';

/** Writes down what crosses the wire, as a JSONL timeline. */
export interface Wiretap {
  request(at: number, bytes: Buffer, wire: Wire): void;
  reply(at: number, bytes: Buffer, wire: Wire, answer: Answer): void;
}

const SERVER = '192.0.2.10:5060';
const REPEATED = /^(?:Via|From|Call-ID|CSeq|Contact): .*$/gm;

const replyText = (request: string, { code, nonce, toTag }: Answer): string => {
  const to = /^To: .*$/m.exec(request)?.[0] ?? '';
  const challenge = `${code === 401 ? 'WWW' : 'Proxy'}-Authenticate: Digest realm="voip.example.net", nonce="${nonce}"`;
  return [
    `SIP/2.0 ${code} Answer`,
    ...(request.match(REPEATED) ?? []).map((line) => line.trimEnd()),
    to.includes(';tag=') ? to.trimEnd() : `${to.trimEnd()};tag=${toTag ?? 'srv'}`,
    ...(nonce === undefined ? [] : [challenge]),
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
};

/** Lets `happen` be recorded, and replays the recording with all defaults. @returns a row for each source */
export const replayOf = (happen: (wiretap: Wiretap) => void): readonly SourceRow[] => {
  const folder = mkdtempSync(join(tmpdir(), 'companion-detection-'));
  try {
    const file = join(folder, 'timeline.jsonl');
    const handle = openSync(file, 'w');
    let lines: string[] = [];
    const flush = (): void => {
      writeSync(handle, lines.join(''));
      lines = [];
    };
    const line = (at: number, src: string, dst: string, proto: string, bytes: Buffer): void => {
      lines.push(`${JSON.stringify({ t: at / 1_000, src, dst, proto, b64: bytes.toString('base64') })}\n`);
      if (lines.length >= 1_000) flush();
    };
    happen({
      request(at, bytes, { ip, port, transport }) {
        line(at, `${ip}:${port}`, SERVER, transport, bytes);
      },
      reply(at, bytes, { ip, port, transport }, answer) {
        line(at, SERVER, `${ip}:${port}`, transport, Buffer.from(replyText(bytes.toString('latin1'), answer)));
      },
    });
    flush();
    closeSync(handle);
    return rehearse({ files: [file], policies: [companionSchema.parse({})] }).results[0]!.rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
