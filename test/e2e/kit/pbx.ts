import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Lab } from '../../../src/lab/index.ts';
import type { StatusReport } from '../../../src/model/index.ts';
import { findProgram } from '../../../src/lab/prepare/layout.ts';
import { restartWith } from './evapi-client.ts';
import { operate, until } from './companion.ts';
import { requestText } from './sip-text.ts';
import { openTestbed } from './testbed.ts';
import type { Testbed, TestbedOptions } from './testbed.ts';
import { openUdp } from './udp-client.ts';

/** A PBX: another real Kamailio that authenticates, registers and calls, and knows nothing of companion. */
const configuration = (lab: Lab, ip: string, realm: string): string => `#!KAMAILIO
debug=1
log_stderror=yes
children=2
auto_aliases=no
alias=${realm.includes(':') ? `[${realm}]` : realm}
listen=udp:${ip}:15070
${[
  'tm',
  'sl',
  'rr',
  'pv',
  'maxfwd',
  'usrloc',
  'registrar',
  'textops',
  'siputils',
  'db_sqlite',
  'auth',
  'auth_db',
  'path',
  'xlog',
]
  .map((name) => `loadmodule "${name}.so"`)
  .join('\n')}
modparam("auth_db", "db_url", "sqlite:///${join(lab.directory, 'kamailio.sqlite')}")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "load_credentials", "")
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("usrloc", "db_mode", 0)
request_route {
	xlog("L_NOTICE", "PBX-SAW $rm $si:$sp auth=$hdr(Authorization) proxy=$hdr(Proxy-Authorization) ci=$ci\\n");
	if(has_totag()) {
		if(loose_route()) { t_relay(); exit; }
		if(is_method("ACK")) { if(t_check_trans()) t_relay(); exit; }
		sl_send_reply("404", "Not here");
		exit;
	}
	if(is_method("CANCEL")) { if(t_check_trans()) t_relay(); exit; }
	if(!auth_check("${realm}", "subscriber", "1")) { auth_challenge("${realm}", "0"); exit; }
	xlog("L_NOTICE", "PBX-TOOK $rm ci=$ci\\n");
	consume_credentials();
	if(is_method("REGISTER")) { save("location"); exit; }
	record_route();
	if(!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
	t_relay();
}
`;

export interface Pbx {
  /** Lines of what reached it. */
  saw(): readonly string[];
  /** `INVITE <Call-ID>` of what it let in, with credentials that it knows. */
  took(): readonly string[];
  stop(): Promise<void>;
}

export interface EdgeBed extends Testbed {
  readonly pbx: Pbx;
}

/** A testbed whose Kamailio stands before a PBX at `pbxIp`, with our second example configuration. */
export const openEdgeBed = async (options: TestbedOptions, pbxIp: string): Promise<EdgeBed> => {
  const bed = await openTestbed(options);
  try {
    const pbx = await startPbx(bed.lab, pbxIp, bed.realm);
    await until('companion has found it', async () => {
      const { nodes } = await operate<StatusReport>(bed.lab, 'status');
      return nodes[0]?.state === 'connected';
    });
    // the first heartbeats of the new Kamailio
    await until('strangers are asked about', async () => {
      const client = await openUdp(pbxIp.includes(':') ? pbxIp : '127.83.30.251', bed.server);
      const aor = `sip:nobody@${bed.domain}`;
      const uri = `sip:${bed.domain}`;
      await client.ask(requestText({ method: 'REGISTER', uri, from: aor, to: aor, local: client.local }), {
        withinMs: 300,
      });
      client.close();
      return (await bed.door.counter('ask')) > 0;
    });
    return {
      ...bed,
      pbx,
      stop: async () => {
        await Promise.all([pbx.stop(), bed.stop()]);
      },
    };
  } catch (error) {
    await bed.stop();
    throw error;
  }
};

/** Puts a lab's Kamailio before a PBX at `ip`:15070. */
const startPbx = async (lab: Lab, ip: string, realm: string): Promise<Pbx> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbx-'));
  const file = join(folder, 'pbx.cfg');
  const address = ip.includes(':') ? `[${ip}]` : ip;
  writeFileSync(file, configuration(lab, address, realm));
  let log = '';
  const child = spawn(findProgram('kamailio'), ['-DD', '-E', '-f', file, '-Y', folder, '-w', folder], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const probe = await openUdp(ip.includes(':') ? ip : '127.83.30.250', { ip, port: 15_070 });
  try {
    await until('the PBX answers', async () => {
      const text = `OPTIONS sip:x@${address} SIP/2.0\r\nVia: SIP/2.0/UDP ${probe.local};branch=z9hG4bKp\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@b>\r\nCall-ID: probe${Math.random()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;
      return (await probe.ask(text, { withinMs: 300 })) !== undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}\n${log.slice(-2_000)}`);
  } finally {
    probe.close();
  }
  await restartWith(lab, (text) =>
    text.replace(/include_file "([^"]*)kamailio\.cfg"/, (_whole, folderOf: string) =>
      [
        `#!define PBX_ADDRESS ${address}`,
        '#!define PBX_PORT 15070',
        `include_file "${join(dirname(`${folderOf}x`), 'edge.cfg')}"`,
      ].join('\n'),
    ),
  );
  return {
    saw: () => log.split('\n').filter((line) => line.includes('PBX-SAW')),
    took: () => [...log.matchAll(/PBX-TOOK (\S+) ci=(.*)$/gm)].map(([, method, callId]) => `${method} ${callId}`),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
