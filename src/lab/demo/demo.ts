import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DecisionEvent } from '../../model/index.ts';
import { startLab } from '../lab.ts';
import { createPhone } from '../phone/index.ts';
import { attackQuietly, attackWithSvwar } from './attacks.ts';
import type { Scene } from './attacks.ts';
import { watchEnforcement } from './enforcement.ts';
import { showAttack, showPhone } from './figures.ts';
import type { Attack } from './figures.ts';
import { paint, quoted, say, span } from './terminal.ts';
import { wallClock } from './wiretap.ts';

const PHONE = { user: 'alice', password: 'wonderland', everyMs: 500 } as const;
/** Subscribers among the extensions that are scanned. */
const EXTENSIONS = ['101', '120', '150', '200', '222'];
const RANGE = { first: 100, last: 250 } as const;
/** The phone's life before, between and after the attacks. */
const CALM_MS = 2_000;

const SHOWN: readonly DecisionEvent['change'][] = ['ban', 'quarantine', 'throttle', 'throttle-user', 'deny', 'lift'];

/** A decision in companion's own words; the phone's registrations are told as figures. */
const tell = (event: DecisionEvent, since: number): void => {
  if (!SHOWN.includes(event.change)) return;
  const rules = event.rules.length === 0 ? '' : ` [${event.rules.join(' ')}]`;
  const time = paint('dim', `+${span(Math.max(0, event.at - since))}`.padEnd(9));
  say(`  ${time} ${paint('yellow', event.change)} ${event.subject}: ${event.reason}${rules}`);
  if (event.evidence !== '') say(`            ${paint('dim', quoted(event.evidence))}`);
};

/**
 * The whole story, once.
 * @returns whether the attackers got nothing and the phone lost nothing
 */
export const runDemo = async (signal: AbortSignal): Promise<boolean> => {
  // an address of its own, so that two demonstrations do not meet
  const net = `127.77.${randomInt(1, 255)}`;
  const server = { ip: `${net}.1`, port: 15_060 };
  const users = [`${PHONE.user}:${PHONE.password}`, ...EXTENSIONS.map((name) => `${name}:${randomInt(1e9)}`)].join(',');
  let began = wallClock();
  const scene = (title: string): void => {
    say(paint('bold', `\n${title}`));
    began = wallClock();
  };
  const calm = async (): Promise<void> => sleep(CALM_MS, undefined, { signal });

  say(paint('bold', `A real Kamailio at ${server.ip}:${server.port}, companion beside it`));
  const lab = await startLab({ sip: `${server.ip}:${server.port}`, users, signal });
  try {
    say(
      `  ready after ${span(wallClock() - began)}; ${EXTENSIONS.length} extensions and ${PHONE.user} are subscribers`,
    );
    const watch = await watchEnforcement(lab.ready.socket, (event) => {
      tell(event, began);
    });
    const phone = await createPhone({ ...PHONE, server, domain: server.ip, from: `${net}.20` });
    const stage: Scene = { server, watch, range: RANGE, existing: EXTENSIONS.length, signal };
    const attacks: Attack[] = [];
    try {
      phone.start();
      say(`  the phone of ${PHONE.user} registers from ${net}.20, again and again`);
      await calm();
      scene(`svwar asks for the extensions ${RANGE.first}-${RANGE.last}, as ${net}.66`);
      attacks.push(await attackWithSvwar(stage, `${net}.66`));
      await calm();
      scene(`The same scan with requests that look like a phone's, as ${net}.67`);
      attacks.push(await attackQuietly(stage, `${net}.67`));
      await calm();
    } finally {
      await phone.stop();
      watch.close();
    }
    say(paint('bold', '\nFigures'));
    const fine = attacks.map((attack) => showAttack(attack));
    return showPhone(PHONE.user, phone.registrations) && fine.every(Boolean);
  } finally {
    await lab.stop();
  }
};
