import { setTimeout as sleep } from 'node:timers/promises';
import { requestText } from '../../e2e/kit/sip-text.ts';
import { openRelay, runTool } from '../../e2e/kit/svtools.ts';
import { openUdp } from '../../e2e/kit/udp-client.ts';

export interface Attack {
  /** When the first packet left (performance.now), undefined before. */
  began(): number | undefined;
  /** Answers so far. */
  answers(): number;
  readonly over: Promise<void>;
}

interface Where {
  readonly from: string;
  readonly server: { readonly ip: string; readonly port: number };
}

const FIRST = 100;
const LAST = 999;
/** svwar's own pace. */
const PER_SECOND = 190;
const LINGER_MS = 1_000;

/** Sends what a phone would send, for one extension after the other. Nothing but its behaviour gives it away. */
export const scanWithoutMarks = async ({ from, server }: Where): Promise<Attack> => {
  const client = await openUdp(from, server);
  let began: number | undefined;
  const scan = async (): Promise<void> => {
    for (let target = FIRST; target <= LAST; target += 1) {
      const aor = `sip:${target}@${server.ip}`;
      await client.send(
        requestText({ method: 'REGISTER', uri: `sip:${server.ip}`, from: aor, to: aor, local: client.local }),
      );
      began ??= performance.now();
      const ahead = ((target - FIRST + 1) * 1_000) / PER_SECOND - (performance.now() - began);
      if (ahead > 1) await sleep(ahead);
    }
    await sleep(LINGER_MS);
    client.close();
  };
  return { began: () => began, answers: () => client.received.length, over: scan() };
};

/** The real svwar, from an address of its own. */
export const scanWithSvwar = async ({ from, server }: Where): Promise<Attack> => {
  const relay = await openRelay(from, server);
  let began: number | undefined;
  const watch = setInterval(() => {
    if (relay.sent.length === 0) return;
    began = performance.now();
    clearInterval(watch);
  }, 1);
  const run = async (): Promise<void> => {
    await runTool(
      'svwar',
      [
        '-e',
        `${FIRST}-${LAST}`,
        '-m',
        'REGISTER',
        '--force',
        `--domain=${server.ip}`,
        '-p',
        String(relay.port),
        relay.ip,
      ],
      12_000,
    );
    clearInterval(watch);
    relay.close();
  };
  return { began: () => began, answers: () => relay.answers.length, over: run() };
};
