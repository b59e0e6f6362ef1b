import { EXIT } from '../../exit-codes.ts';
import { printJson, printLines } from '../../output/print.ts';
import { paint, shown } from '../../output/text.ts';
import { loadPolicy } from './load-policy.ts';

export interface RulesWireOptions {
  readonly config?: string | undefined;
  readonly json?: true | undefined;
}

/** `companion rules wire FILE…`: how messages are built; exit 1 when one is no request. */
export const rulesWire = async (files: readonly string[], options: RulesWireOptions): Promise<number> => {
  const [policy, { describeMessage }] = await Promise.all([
    loadPolicy(options.config),
    import('../../../cases/index.ts'),
  ]);
  let code: number = EXIT.ok;
  for (const file of files) {
    const shape = describeMessage(file, policy);
    if (shape.wire === '') code = EXIT.failed;
    if (options.json) printJson(shape);
    else {
      const tool = shape.tool === '' ? '' : ` ${shape.tool} (${shape.entry})`;
      printLines([
        `${shown(file)} ${paint('bold', shape.wire)}${shown(tool)}`,
        ...shape.features.map((feature) => `  ${shown(feature)}`),
      ]);
    }
  }
  return code;
};
