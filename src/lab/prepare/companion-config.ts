import { readFileSync } from 'node:fs';
import { Document, isMap, isSeq, parseDocument } from 'yaml';
import type { Layout } from './layout.ts';
import type { LineAddresses } from './ports.ts';
import { LabError } from '../problem.ts';
import type { HookTransport } from './transport.ts';

export interface CompanionConfig {
  readonly text: string;
  /** The API token, when the operator's file sets it; else companion makes one. */
  readonly token: string | undefined;
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new LabError(`Cannot read --config ${file}: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
};

/**
 * The operator's settings, with the places of this lab set into them. The document is edited, not rewritten, so that
 * the line numbers in companion's complaints stay those of the operator's file. A file that is no mapping is handed on
 * as it is: explaining what is wrong is companion's business.
 * @throws LabError when the file cannot be read
 */
export const writeCompanionConfig = (
  file: string | undefined,
  layout: Layout,
  line: LineAddresses,
  transport: HookTransport,
): CompanionConfig => {
  const text = file === undefined ? '' : read(file);
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) return { text, token: undefined };
  const settings: Document = document.contents === null ? new Document({}) : document;
  if (!isMap(settings.contents)) return { text, token: undefined };
  // `http: false` or a broken section would not take single settings
  for (const section of ['http', 'hook']) {
    if (!isMap(settings.get(section))) settings.set(section, settings.createNode({}));
  }
  settings.set('state_dir', layout.state);
  settings.set('socket', layout.socket);
  settings.setIn(['http', 'listen'], `${line.host}:${line.http}`);
  settings.setIn(['hook', 'listen'], line.host);
  settings.setIn(['hook', 'ask_port'], line.ask);
  settings.setIn(['hook', 'tell_port'], line.tell);
  // tools that cannot choose a source address attack from 127.0.0.1, which counts as private elsewhere
  const decide = settings.get('decide');
  if (decide === undefined) settings.set('decide', settings.createNode({ ban_private: true }));
  else if (isMap(decide) && !decide.has('ban_private')) settings.setIn(['decide', 'ban_private'], true);
  const node = {
    name: 'kamailio',
    transport,
    control: `${line.host}:${line.control}`,
    evapi: `${line.host}:${line.evapi}`,
    rpc: `http://${line.host}:${line.rpc}/RPC`,
  };
  // the operator's first server: its places are this lab's, how it is treated is his
  const given = settings.get('nodes');
  const closed = isSeq(given) && isMap(given.items[0]) ? given.items[0].get('allowlist_only') : undefined;
  settings.set('nodes', settings.createNode([closed === undefined ? node : { ...node, allowlist_only: closed }]));
  const token = settings.getIn(['http', 'token']);
  return { text: settings.toString({ lineWidth: 0 }), token: typeof token === 'string' ? token : undefined };
};
