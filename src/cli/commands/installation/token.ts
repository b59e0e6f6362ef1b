import type { TokenRow } from '../../../admin/index.ts';
import { ask } from '../../ask.ts';
import { author } from '../../author.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';
import { table } from '../../output/table.ts';
import { formatTime, shown, terminalWidth } from '../../output/text.ts';

export interface TokenAddOptions extends CommonOptions {
  readonly scope: readonly string[];
}

/** `companion token add NAME --scope read operate`: prints the token, which is nowhere else afterwards. */
export const tokenAdd = async (name: string, options: TokenAddOptions): Promise<number> => {
  const scopes = options.scope.flatMap((text) => text.split(','));
  const request = { name, scopes, author: author() };
  const made = await ask(options, (client) => client.call<{ name: string; token: string }>('token.add', request));
  if (options.json) printJson(made);
  else printLines([made.token]);
  return EXIT.ok;
};

/** `companion token list`. */
export const tokenList = async (options: CommonOptions): Promise<number> => {
  const rows = await ask(options, (client) => client.list<TokenRow>('token.list'));
  if (options.json) printJson(rows);
  else if (rows.length === 0) printLines(["There are no tokens but the installation's own, in its state directory."]);
  else {
    const columns = [
      { title: 'NAME', cell: (row: TokenRow) => row.name },
      { title: 'SCOPES', cell: (row: TokenRow) => row.scopes.join(' ') },
      { title: 'SINCE', cell: (row: TokenRow) => formatTime(row.since) },
    ];
    printLines(table(rows, columns, terminalWidth()));
  }
  return EXIT.ok;
};

/** `companion token remove NAME`. */
export const tokenRemove = async (name: string, options: CommonOptions): Promise<number> => {
  const result = await ask(options, (client) =>
    client.call<{ removed: string[] }>('token.remove', { name, author: author() }),
  );
  if (options.json) printJson(result);
  else printLines([`Removed: ${result.removed.map(shown).join(', ')}.`]);
  return EXIT.ok;
};
