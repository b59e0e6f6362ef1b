/**
 * Many networks at once: feeds and list files, up to millions of lines. In: the bytes of each list. Out: a table that says
 * which list an address stands on, by its closest network. A table is never changed: the next one replaces it. It is plain
 * data, so that a thread can build it and hand it over. Never does I/O; a line it cannot read is told, never guessed at.
 */
export { readNetworks, type NetworkList, type Networks, type UnreadLine } from './read-networks.ts';
export { buildNetworkTable, NetworkTable, type NetworkTableData } from './network-table.ts';
export type { Intervals } from './intervals.ts';
