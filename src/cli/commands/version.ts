import { EXIT } from '../exit-codes.ts';
import { printJson, printLines } from '../output/print.ts';
import { ownVersion } from '../version.ts';

/** `companion version`: of this command; `companion status` names the version of the service. */
export const version = (options: { readonly json?: true | undefined }): Promise<number> => {
  const own = ownVersion();
  if (options.json) printJson({ version: own, node: process.versions.node });
  else printLines([`companion ${own} (Node.js ${process.versions.node})`]);
  return Promise.resolve(EXIT.ok);
};
