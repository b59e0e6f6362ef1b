import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { compileTools, type ToolMatcher } from './compile.ts';
import { packSchema, type ToolPack } from './pack-schema.ts';

/** The pack that comes with the package: beside `src` and `dist`. */
const SHIPPED_PACK = fileURLToPath(new URL('../../../packs/tools.yaml', import.meta.url));

let shipped: ToolPack | undefined;

/**
 * The pack of the package, read once a process, as its code is. It is tested: whatever is wrong with it is a damaged
 * installation, and thrown.
 */
export const shippedPack = (): ToolPack => (shipped ??= packSchema.parse(parse(readFileSync(SHIPPED_PACK, 'utf8'))));

/** The tools that are known without any pack of the operator. */
export const shippedTools = (): ToolMatcher => compileTools([shippedPack()]);
