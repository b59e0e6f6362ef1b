import { z } from 'zod';
import { explainConfig, loadLayers } from '../../../config/index.ts';
import type { Explained } from '../../../config/index.ts';
import { EXIT } from '../../exit-codes.ts';
import { printJson, printLines } from '../../output/print.ts';
import { table } from '../../output/table.ts';
import type { Column } from '../../output/table.ts';
import { shown, terminalWidth } from '../../output/text.ts';

export interface ConfigOptions {
  readonly config?: string | undefined;
  readonly json?: true | undefined;
}

/** The configuration as `run` would read it; nothing is started. */
const load = async ({ config }: ConfigOptions) => {
  const { companionSchema: schema } = await import('../../../app.ts');
  return { schema, loaded: loadLayers({ file: config, env: process.env, schema }) };
};

/** `companion config check`: exit 1 and every problem when it is wrong. */
export const configCheck = async (options: ConfigOptions): Promise<number> => {
  const { loaded } = await load(options);
  const { file, missing, overrides } = loaded;
  if (options.json) printJson({ file, ok: true, ...(missing ? { missing } : {}) });
  else {
    const names = [...new Set(overrides.map(({ name }) => name))];
    const right = missing ? `There is no ${shown(file)}: every setting has its default` : `${shown(file)} is right`;
    printLines([`${right}${names.length === 0 ? '' : `, with ${names.map(shown).join(', ')}`}.`]);
  }
  return EXIT.ok;
};

const COLUMNS: readonly Column<Explained>[] = [
  { title: 'SETTING', cell: ({ path }) => path },
  { title: 'VALUE', cell: ({ text }) => text, shrinks: true },
  { title: 'FROM', cell: ({ from }) => from, style: ({ from }) => (from === 'default' ? 'dim' : 'cyan') },
  { title: 'ABOUT', cell: ({ about }) => about, shrinks: true, spare: 1 },
];

/** `companion config explain [PATH]`; in JSON durations are also there in milliseconds. */
export const configExplain = async (path: string | undefined, options: ConfigOptions): Promise<number> => {
  const { loaded, schema } = await load(options);
  const settings = explainConfig(loaded, schema).filter((each) => path === undefined || each.path.startsWith(path));
  if (options.json) printJson(settings);
  else if (settings.length === 0) printLines([`There is no setting that begins with '${shown(path)}'.`]);
  else printLines(table(settings, COLUMNS, terminalWidth()));
  return settings.length === 0 ? EXIT.failed : EXIT.ok;
};

/** `companion config schema`: for `# yaml-language-server: $schema=…`. */
export const configSchema = async (): Promise<number> => {
  const { companionSchema } = await import('../../../app.ts');
  process.stdout.write(
    `${JSON.stringify(z.toJSONSchema(companionSchema, { io: 'input', unrepresentable: 'any' }), null, 2)}\n`,
  );
  return EXIT.ok;
};
