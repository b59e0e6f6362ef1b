import { loadConfig } from '../../../config/index.ts';
import { companionSchema, patchStateOf } from '../../../judging/index.ts';
import { CompanionError } from '../../../model/index.ts';
import type { StatusReport } from '../../../model/index.ts';
import { kamailioPatches, PATCHES, versionsText } from '../../../protocol/index.ts';
import type { PatchState } from '../../../protocol/index.ts';
import { ask } from '../../ask.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';
import { table } from '../../output/table.ts';
import type { Column } from '../../output/table.ts';
import { paint, shown, terminalWidth } from '../../output/text.ts';

export interface PatchesListOptions extends CommonOptions {
  readonly config?: string | undefined;
  /** Version of Kamailio, instead of what the service reads. */
  readonly version?: string | undefined;
}

interface Server {
  readonly node: string;
  /** Empty when it is not known. */
  readonly version: string;
}

interface PatchRow {
  readonly id: string;
  readonly title: string;
  readonly advisory: string;
  readonly affected: readonly { readonly product: string; readonly versions: string }[];
  readonly acts: readonly string[];
  readonly servers: readonly (Server & PatchState)[];
}

/** The servers as the service knows them; without a service, one of an unknown version. */
const askServers = async (options: PatchesListOptions): Promise<readonly Server[]> => {
  if (options.version !== undefined) return [{ node: '', version: options.version }];
  try {
    const { nodes } = await ask(options, (client) => client.call<StatusReport>('status', {}));
    if (nodes.length > 0) return nodes.map(({ name, version }) => ({ node: name, version }));
  } catch (error) {
    if (!(error instanceof CompanionError) || error.code !== 'SERVICE_UNREACHABLE') throw error;
  }
  return [{ node: '', version: '' }];
};

const word = ({ on, accuses }: PatchState): string => (on ? 'on' : accuses ? 'accuses' : 'off');

const states = ({ servers }: PatchRow): string => {
  const words = new Set(servers.map(word));
  if (words.size === 1) return [...words].join('');
  return servers.map((server) => `${server.node} ${word(server)}`).join(', ');
};

const COLUMNS: readonly Column<PatchRow>[] = [
  { title: 'PATCH', cell: ({ id }) => id },
  {
    title: 'STATE',
    cell: states,
    style: ({ servers }) => (servers.some(({ on }) => on) ? 'green' : 'dim'),
  },
  { title: 'ACTS', cell: ({ acts }) => acts.join(', '), spare: 1 },
  {
    title: 'AFFECTED',
    cell: ({ affected }) => affected.map(({ product, versions }) => `${product} ${versions}`).join('; '),
    shrinks: true,
    spare: 2,
  },
  {
    title: 'WHY',
    cell: ({ servers }) => [...new Set(servers.map(({ why }) => why))].join('; '),
    shrinks: true,
    spare: 3,
  },
  { title: 'WHAT', cell: ({ title }) => title, shrinks: true },
];

/** `companion patches list`: each virtual patch, whether it is on for the servers, and why. */
export const patchesList = async (options: PatchesListOptions): Promise<number> => {
  const { patches: setting } = loadConfig({ file: options.config, env: process.env, schema: companionSchema });
  const servers = await askServers(options);
  const rows: readonly PatchRow[] = PATCHES.map((patch) => ({
    id: patch.id,
    title: patch.title,
    advisory: patch.advisory,
    affected: patch.products.map(({ product, affected }) => ({ product, versions: versionsText(affected) })),
    acts: patch.acts,
    servers: servers.map((server) => ({ ...server, ...patchStateOf(patch, server.version, setting) })),
  }));
  if (options.json) {
    printJson(rows);
    return EXIT.ok;
  }
  const named = servers.map(({ node, version }) => `${node} Kamailio ${version || 'of an unknown version'}`.trim());
  printLines([...table(rows, COLUMNS, terminalWidth()), '', paint('dim', shown(`For ${named.join(', ')}.`))]);
  return EXIT.ok;
};

/** `companion patches kamailio`: what goes into companion/patches.cfg. */
export const patchesKamailio = async (options: { readonly version?: string | undefined }): Promise<number> => {
  process.stdout.write(kamailioPatches(options.version));
  return Promise.resolve(EXIT.ok);
};
