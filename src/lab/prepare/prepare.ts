import { rmSync, writeFileSync } from 'node:fs';
import { writeCompanionConfig } from './companion-config.ts';
import { createSubscriberDatabase, parseUsers } from './database.ts';
import { chooseDomain, kamailioConfig } from './kamailio-config.ts';
import { createLayout, findProgram } from './layout.ts';
import type { Layout } from './layout.ts';
import { chooseLineAddresses, requireFree } from './ports.ts';
import type { LineAddresses } from './ports.ts';
import { parseSipEndpoint } from './sip-endpoint.ts';
import type { SipEndpoint } from './sip-endpoint.ts';
import { parseTransport } from './transport.ts';

export interface LabOptions {
  /** `127.77.0.1:15060` or `[::1]:15060`. */
  readonly sip: string;
  /** `alice:secret,bob:secret`. */
  readonly users?: string | undefined;
  /** The operator's YAML; places (directories, sockets, ports, nodes) are overridden. */
  readonly config?: string | undefined;
  readonly mode?: 'shadow' | 'enforce' | undefined;
  readonly domain?: string | undefined;
  /** How Kamailio's frames reach companion: datagram, evapi, http. Default: COMPANION_LAB_TRANSPORT, else datagram. */
  readonly transport?: string | undefined;
  /** Leave the directory behind. */
  readonly keep?: boolean | undefined;
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined;
}

/** Everything that the two programs find when they start. */
export interface Prepared {
  readonly sip: SipEndpoint;
  readonly line: LineAddresses;
  readonly layout: Layout;
  /** Path of the program. */
  readonly kamailio: string;
  /** The API token, when the operator's file sets it. */
  readonly token: string | undefined;
}

/**
 * Checks what can be checked before anything runs, and writes the files of a lab.
 * @throws LabError when something is in the way; nothing is left behind then
 */
export const prepareLab = async (options: LabOptions): Promise<Prepared> => {
  const sip = parseSipEndpoint(options.sip);
  const domain = chooseDomain(options.domain, sip);
  const users = parseUsers(options.users ?? '');
  const transport = parseTransport(options.transport ?? process.env['COMPANION_LAB_TRANSPORT']);
  const kamailio = findProgram('kamailio');
  await requireFree(sip);
  const line = await chooseLineAddresses();
  const layout = createLayout();
  try {
    const config = writeCompanionConfig(options.config, layout, line, transport);
    writeFileSync(layout.config, config.text, { mode: 0o600 });
    createSubscriberDatabase(layout.database, domain.realm, users);
    writeFileSync(layout.kamailioConfig, kamailioConfig(layout, sip, domain, line, transport), { mode: 0o600 });
    return { sip, line, layout, kamailio, token: config.token };
  } catch (error) {
    rmSync(layout.directory, { recursive: true, force: true });
    throw error;
  }
};
