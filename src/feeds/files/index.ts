/**
 * Files that operators keep: lists with remarks, read again when they change. A bad row is told by its line and the others
 * are taken; a file that vanishes takes nothing away.
 */
export { followListFile } from './list-file.ts';
export type { ListFile } from './list-file.ts';
