/**
 * `npm run bench:vs-fail2ban`: the same attacks on the same server, once with fail2ban on Kamailio's log and once with
 * companion on its hook. Prints when each enforced, and how many answers the attacker had by then. `--json` as JSON.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../e2e/kit/companion.ts';
import { prepareServer } from '../server/server.ts';
import type { Server } from '../server/server.ts';
import { scanWithoutMarks, scanWithSvwar } from './attack.ts';
import { LOG_LINE, startJail } from './jail.ts';
import type { Backend } from './jail.ts';

type Defence = 'companion' | Backend;

interface Result {
  readonly attack: string;
  readonly defence: string;
  /** First packet to enforcement; null: never. */
  readonly ms: number | null;
  readonly answersBefore: number;
  readonly answersInAll: number;
}

const DEADLINE_MS = 5 * 60_000;
const POLL_MS = 4;

/** Without companion: the same server, the same table of bans before the parser, and a line for each failure. */
const logged = (text: string): string =>
  text
    .replace('\troute(COMPANION);\n', '')
    .replace(
      '\troute(COMPANION_CALLER);\n',
      `\tif(!is_present_hf("Authorization") && !is_present_hf("Proxy-Authorization")) xlog("L_NOTICE", "${LOG_LINE}\\n");\n$&`,
    );

const missing = (): string[] =>
  [
    ['fail2ban', 'fail2ban-server', '--version'],
    ['sipvicious', 'svwar', '--version'],
    ['kamailio', 'kamailio', '-v'],
    ['curl', 'curl', '--version'],
  ].flatMap(([name = '', command = '', flag = '']) => (spawnSync(command, [flag]).error === undefined ? [] : [name]));

/** inotify needs a module of Debian's Python. */
const hasInotify = (): boolean => spawnSync('/usr/bin/python3', ['-c', 'import pyinotify']).status === 0;

const banCommand = ({ prepared, secrets }: Server): string =>
  `curl -s -m 2 -H 'X-Companion-Token: ${secrets.down}' -d '{"jsonrpc":"2.0","id":1,"method":"htable.sets","params":["ipban","<ip>","1"]}' http://${prepared.line.host}:${prepared.line.rpc}/RPC`;

const holds = async ({ rpc }: Server, table: string, key: string): Promise<boolean> =>
  rpc.call('htable.get', [table, key]).then(
    () => true,
    () => false,
  );

const measure = async (number: number, defence: Defence, attackName: string): Promise<Result> => {
  const ip = `127.85.1.${number}`;
  const from = `127.85.${100 + number}.1`;
  const server = await prepareServer({
    sip: `${ip}:15060`,
    users: '120:secret,200:secret',
    ...(defence === 'companion' ? {} : { change: logged }),
  });
  const ends: (() => Promise<void>)[] = [];
  try {
    if (defence === 'companion') ends.push(async () => companion.stop());
    const companion = defence === 'companion' ? server.startCompanion() : { stop: async () => undefined };
    const kamailio = server.startKamailio();
    ends.push(async () => kamailio.stop());
    await until('Kamailio answers', async () => (await server.keys('ipban')) !== undefined, 20_000);
    if (defence === 'companion') await server.connected();
    else ends.push(await startJail({ backend: defence, log: server.log, ban: banCommand(server) }));
    await sleep(1_500);

    const where = { from, server: { ip, port: 15_060 } };
    const attack = attackName === 'svwar' ? await scanWithSvwar(where) : await scanWithoutMarks(where);
    let over = false;
    void attack.over.finally(() => (over = true));
    let ms: number | null = null;
    let answersBefore = 0;
    while (!over) {
      const began = attack.began();
      const answers = attack.answers();
      if (
        began !== undefined &&
        ((await holds(server, 'ipban', from)) || (await holds(server, 'companion_state', `q${from}`)))
      ) {
        ms = Math.round(performance.now() - began);
        answersBefore = attack.answers();
        break;
      }
      answersBefore = answers;
      await sleep(POLL_MS);
    }
    await attack.over;
    if (ms === null) answersBefore = attack.answers();
    const name = defence === 'companion' ? 'companion' : `fail2ban, ${defence}`;
    return { attack: attackName, defence: name, ms, answersBefore, answersInAll: attack.answers() };
  } finally {
    for (const end of ends.toReversed()) await end();
    await server.close();
  }
};

const lacking = missing();
if (lacking.length > 0) {
  process.stderr.write(
    `bench:vs-fail2ban needs ${lacking.join(', ')}. On Debian, as root, without starting anything:\n` +
      `  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d\n` +
      `  apt-get install ${lacking.join(' ')} python3-pyinotify\n`,
  );
  process.exit(2);
}
setTimeout(() => {
  process.stderr.write(`bench:vs-fail2ban: not done within ${DEADLINE_MS / 60_000} minutes.\n`);
  process.exit(1);
}, DEADLINE_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const defences: readonly Defence[] = ['companion', ...(hasInotify() ? (['pyinotify'] as const) : []), 'polling'];
const results: Result[] = [];
for (const attack of ['without marks', 'svwar']) {
  for (const defence of defences) results.push(await measure(results.length + 1, defence, attack));
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
else {
  process.stdout.write(
    '| attack | defence | enforced after | answers by then | answers in all |\n|---|---|---|---|---|\n',
  );
  for (const { attack, defence, ms, answersBefore, answersInAll } of results)
    process.stdout.write(
      `| ${attack} | ${defence} | ${ms === null ? 'never' : `${ms} ms`} | ${answersBefore} | ${answersInAll} |\n`,
    );
}
process.exit();
