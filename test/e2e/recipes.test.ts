/** kamailio/recipes beside the example configuration: accepted, and doing what they say. */
import Database from 'better-sqlite3';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { untilAsked } from './kit/asked.ts';
import { figure } from './kit/companion.ts';
import { expectPlausible } from './kit/plausible.ts';
import { reconfigure } from './kit/reconfigure.ts';
import { headerOf, token } from './kit/sip-text.ts';
import { KAMAILIO_FOLDER } from './kit/stock.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const RECIPES = join(KAMAILIO_FOLDER, 'recipes');
const USERS = { alice: 'wonderland', bob: 'builder' };
const DEFINES = {
  TOPOH_KEY: '"a key of this test, 32 characters"',
  TOPOH_IP: '"192.0.2.1"',
  TOPOS_DATABASE: '"sqlite:////nowhere/topos.sqlite"',
  PERMISSIONS_DATABASE: '"sqlite:////nowhere/permissions.sqlite"',
} as const;
/** Where each recipe says that its route is called: the line of the example that stands behind it. */
const CALLS: Readonly<Record<string, readonly [route: string, before: string]>> = {
  'no-connect.cfg': ['RECIPE_NO_CONNECT', '\tforce_rport();'],
  'allow-trusted.cfg': ['RECIPE_TRUSTED', '\troute(COMPANION_CALLER);'],
  'allow-register.cfg': ['RECIPE_REGISTER', '\tif(is_method("REGISTER")) {'],
  'allow-routing.cfg': ['RECIPE_ROUTING', '\tif(is_method("REGISTER")) {'],
  'allow-uri.cfg': ['RECIPE_REFER', '\tif($avp(cp_dialog)==1) {'],
};
const files = readdirSync(RECIPES).filter((name) => name.endsWith('.cfg'));

/** The example with these recipes in it, each called where it says. */
const exampleWith = (recipes: readonly string[]): string => {
  const include = recipes.map((name) => `include_file "${join(RECIPES, name)}"\n`).join('');
  const example = readFileSync(join(KAMAILIO_FOLDER, 'kamailio.cfg'), 'utf8')
    .replace('include_file "companion.cfg"', `include_file "${join(KAMAILIO_FOLDER, 'companion.cfg')}"\n${include}`)
    .replace(/^#!KAMAILIO\n/, '');
  const called = recipes.reduce((text, name) => {
    const [route, before] = CALLS[name] ?? [];
    if (route === undefined || before === undefined) return text;
    expect(text).toContain(`\n${before}`);
    return text.replace(`\n${before}`, `\n\troute(${route});\n${before}`);
  }, example);
  const guarded = '\tif($avp(recipe_trusted)!=1) route(COMPANION_CALLER);';
  return recipes.includes('allow-trusted.cfg') ? called.replace('\troute(COMPANION_CALLER);', guarded) : called;
};
const definesOf = (changed: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ ...DEFINES, ...changed })
    .map(([name, value]) => `#!define ${name} ${value}\n`)
    .join('');

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('a recipe', () => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-recipes-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let bed: Testbed | undefined;
  const phones: Ua[] = [];
  afterEach(async () => {
    for (const phone of phones.splice(0)) phone.close();
    await bed?.stop();
    bed = undefined;
  });

  test('each stands in the README, and says where it is called', () => {
    const readme = readFileSync(join(RECIPES, 'README.md'), 'utf8');
    for (const name of files) {
      expect(readme).toContain(`\`${name}\``);
      const [route] = CALLS[name] ?? [];
      if (route !== undefined) expect(readFileSync(join(RECIPES, name), 'utf8')).toContain(`route(${route})`);
    }
  });

  test.each([...files.map((name) => [name]), ['no-connect.cfg', ...files.filter((name) => name.startsWith('allow'))]])(
    'Kamailio accepts %s',
    (...recipes) => {
      const secrets = '#!define COMPANION_SECRET_UP up\n#!define COMPANION_SECRET_DOWN down\n';
      const groups = recipes.length > 1 ? '#!define COMPANION_PERMISSIONS\n' : '';
      const file = join(directory, 'run.cfg');
      writeFileSync(file, `#!KAMAILIO\n${secrets}${definesOf()}${groups}${exampleWith(recipes)}`);
      const check = spawnSync('kamailio', ['-c', '-f', file], { encoding: 'utf8', timeout: 20_000 });
      expect(check.stderr.split('\n').filter((line) => /ERROR|CRITICAL/.test(line))).toEqual([]);
      expect(check.status).toBe(0);
    },
  );

  test('topoh without a key of your own does not start', () => {
    const file = join(directory, 'run.cfg');
    const secrets = '#!define COMPANION_SECRET_UP up\n#!define COMPANION_SECRET_DOWN down\n';
    writeFileSync(file, `#!KAMAILIO\n${secrets}${exampleWith(['topoh.cfg'])}`);
    expect(spawnSync('kamailio', ['-c', '-f', file], { encoding: 'utf8', timeout: 20_000 }).status).not.toBe(0);
  });

  /** A testbed whose example has the recipes in it. */
  const openWith = async (
    sip: string,
    recipes: readonly string[],
    prepare: (lab: Testbed) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<Testbed> => {
    bed = await openTestbed({ sip, users: USERS, yaml: 'decide: {ban_private: true}\n' });
    const changed = prepare(bed);
    const example = join(bed.lab.directory, 'example.cfg');
    writeFileSync(example, exampleWith(recipes));
    await reconfigure(bed.lab, (text) =>
      text.replace(/include_file "[^"]*kamailio\.cfg"/, `${definesOf(changed)}include_file "${example}"`),
    );
    return bed;
  };
  const phone = async (lab: Testbed, user: 'alice' | 'bob', from: string): Promise<Ua> => {
    const ua = await createUa({ server: lab.lab.ready.sip, from, user, password: USERS[user], deadlineMs: 5_000 });
    phones.push(ua);
    expect((await ua.register()).status).toBe(200);
    return ua;
  };

  test.each([
    { name: 'topoh', net: '127.84.6' },
    { name: 'topos', net: '127.84.7' },
  ])('a call through $name is up and ended without credentials, and keeps its proof', async ({ name, net }) => {
    const lab = await openWith(`${net}.1:15060`, [`${name}.cfg`], ({ lab: { directory } }) => {
      const file = join(directory, 'topos.sqlite');
      const database = new Database(file);
      database.pragma('journal_mode = WAL');
      for (const part of ['standard', 'topos'])
        database.exec(readFileSync(`/usr/share/kamailio/db_sqlite/${part}-create.sql`, 'utf8'));
      database.close();
      return { TOPOS_DATABASE: `"sqlite:///${file}"` };
    });
    // frames of the line are no SIP: what reads every message must let them through
    await untilAsked(lab, `${net}.30`);
    const alice = await phone(lab, 'alice', `${net}.20`);
    const bob = await phone(lab, 'bob', `${net}.21`);
    const { invite, bye } = await alice.call('bob');
    // the called side hangs up: its headers are the ones that were changed
    const uri = `sip:alice@${lab.domain}`;
    const contact = `Contact: <sip:bob@${bob.local}>`;
    const back = await bob.authenticated({ method: 'INVITE', uri, fromTag: token(), headers: [contact] });
    const seen = alice.incoming.findLast((text) => text.startsWith('INVITE ')) ?? '';
    const end = await alice.request({
      method: 'BYE',
      uri: /<([^>]*)>/.exec(headerOf(seen, 'Contact'))?.[1] ?? '',
      to: headerOf(seen, 'From'),
      callId: headerOf(seen, 'Call-ID'),
      fromTag: 'callee',
      headers: [...seen.matchAll(/^Record-Route: (.*)\r$/gm)].map(([, route]) => `Route: ${route!}`),
    });
    const statuses = [invite, bye, back, end].map(({ status }) => status);
    figure(name, {
      statuses,
      proofInMessage: /cdp=[0-9a-f]{42}/.test(invite.text),
      hidden: !invite.text.includes(bob.local) && !seen.includes(bob.local),
    });
    // BYE carries no credentials: without the proof it would be challenged
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(bob.incoming.some((text) => text.startsWith('BYE '))).toBe(true);
    expect(invite.text).not.toContain(bob.local);
    expect(seen).not.toContain(bob.local);
    // the connection of evapi ends with the Kamailio that was replaced
    await expectPlausible(lab, ['evapi-closed', 'evapi-refused']);
    expect(lab.complaints()).toEqual([]);
  });

  test('the rules of permissions decide who registers what, calls and transfers where, and who needs no digest', async () => {
    const net = '127.84.8';
    const recipes = ['no-connect.cfg', ...files.filter((name) => name.startsWith('allow'))];
    const lab = await openWith(`${net}.1:15060`, recipes, ({ lab: { directory } }) => {
      writeFileSync(join(directory, 'register.deny'), 'ALL : "@10\\.9\\.9\\.9"\n');
      writeFileSync(join(directory, 'routing.deny'), 'ALL EXCEPT "^sip:boss@" : "^sip:00"\n');
      writeFileSync(join(directory, 'refer.deny'), 'ALL : "^<?sip:00"\n');
      const file = join(directory, 'permissions.sqlite');
      const database = new Database(file);
      for (const part of ['standard', 'permissions'])
        database.exec(readFileSync(`/usr/share/kamailio/db_sqlite/${part}-create.sql`, 'utf8'));
      database.exec(`INSERT INTO trusted (src_ip, proto) VALUES ('${net}.90', 'tcp')`);
      database.close();
      const addresses = join(directory, 'address.list');
      writeFileSync(addresses, '');
      return {
        PERMISSIONS_DATABASE: `"sqlite:///${file}"`,
        COMPANION_PERMISSIONS: '',
        COMPANION_PERMISSIONS_FILE: `"${addresses}"`,
      };
    });
    await untilAsked(lab, `${net}.30`);
    const alice = await phone(lab, 'alice', `${net}.20`);
    const bob = await phone(lab, 'bob', `${net}.21`);
    const at = (user: string): string => `sip:${user}@${lab.domain}`;
    const stolen = await alice.authenticated({
      method: 'REGISTER',
      uri: `sip:${lab.domain}`,
      to: `<${at('alice')}>`,
      headers: ['Contact: <sip:alice@10.9.9.9>', 'Expires: 60'],
    });
    const headers = [`Contact: <sip:alice@${alice.local}>`];
    const premium = await alice.authenticated({ method: 'INVITE', uri: at('00881123'), headers });
    const dialog = { callId: token(), fromTag: token() };
    const invite = await alice.authenticated({ ...dialog, method: 'INVITE', uri: at('bob'), headers });
    const within = {
      ...dialog,
      uri: `sip:bob@${bob.local}`,
      to: headerOf(invite.text, 'To'),
    };
    const route = `Route: ${headerOf(invite.text, 'Record-Route')}`;
    const refer = async (target: string): Promise<number> =>
      (await alice.request({ ...within, method: 'REFER', headers: [route, `Refer-To: <${target}>`] })).status;
    const transfers = [await refer(at('00881123')), await refer(at('bob'))];
    const peers = await Promise.all(
      (['tcp', 'udp'] as const).map(async (transport) => {
        const server = lab.lab.ready.sip;
        const peer = await createUa({ server, from: `${net}.90`, user: 'peer', transport, deadlineMs: 5_000 });
        phones.push(peer);
        return (await peer.request({ method: 'INVITE', uri: at('bob'), headers })).status;
      }),
    );
    figure('allow_*', { stolen: stolen.status, premium: premium.status, invite: invite.status, transfers, peers });
    expect([stolen.status, premium.status, invite.status]).toEqual([403, 403, 200]);
    expect(transfers).toEqual([403, 200]);
    expect(peers).toEqual([200, 407]);
    expect(lab.complaints()).toEqual([]);
  });
});
