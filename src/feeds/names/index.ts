/**
 * Names in the allow list and of peers, as addresses. Looked up as their TTL says, with a deadline; the last good
 * addresses stay while they cannot be; never into private ranges by surprise.
 */
export { createNameBook } from './book.ts';
export type { NameBook, NameWish } from './book.ts';
export { openNameShelf } from './shelf.ts';
export type { NameShelf } from './shelf.ts';
export { createResolver } from './resolver.ts';
export type { NameResolver } from './resolver.ts';
