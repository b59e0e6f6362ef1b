import type { CompanionConfig } from '../../../judging/index.ts';

/**
 * The policy that is looked at. Without a file the one of `run` is not read: the same cases give the same results
 * everywhere.
 * @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE
 */
export const loadPolicy = async (file: string | undefined): Promise<CompanionConfig> => {
  const [{ loadConfig }, { companionSchema: schema }] = await Promise.all([
    import('../../../config/index.ts'),
    import('../../../judging/index.ts'),
  ]);
  return file === undefined ? loadConfig({ text: '', schema }) : loadConfig({ file, schema });
};
