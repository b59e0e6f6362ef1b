/**
 * What companion learns from elsewhere: databases of countries and networks, lists of other people's attackers. In: files
 * and answers of other people's servers, none of them trusted. Out: databases and entries that were looked through.
 * Offline-safe: what cannot be fetched changes nothing and grows older. Every answer is bounded, every wait has a deadline.
 */
export { createFeedDesk } from './desk.ts';
export type { FeedDesk, FeedDeskParts, FeedSettings, Listing } from './desk.ts';
export * from './files/index.ts';
export * from './geo/index.ts';
export type { Protected } from './sift/index.ts';
export { createListsKeeper } from './lists-keeper.ts';
export type { ListsKeeper } from './lists-keeper.ts';
export * from './names/index.ts';
