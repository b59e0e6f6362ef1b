import type { FamilyRows } from './read-networks.ts';

const DIGITS = 2 ** 16;

/** One step of a radix sort: `from` into `to`, by 16 bits of a column; rows of the same digit keep their order. */
const pass = (from: Uint32Array, to: Uint32Array, column: Uint32Array | Uint8Array, shift: number): boolean => {
  const starts = new Uint32Array(DIGITS + 1);
  for (const row of from) starts[((column[row]! >>> shift) & (DIGITS - 1)) + 1]! += 1;
  if (starts.includes(from.length)) return false; // all the same, as most of the lower half of IPv6 is
  for (let digit = 1; digit <= DIGITS; digit += 1) starts[digit]! += starts[digit - 1]!;
  for (const row of from) to[starts[(column[row]! >>> shift) & (DIGITS - 1)]!++] = row;
  return true;
};

/** The numbers of the rows in order of address, wider networks before narrower ones, of equals the first before the next. */
export const sortedRows = (rows: FamilyRows): Uint32Array => {
  let order = Uint32Array.from({ length: rows.count }, (_, row) => row);
  let spare = new Uint32Array(rows.count);
  const sort = (column: Uint32Array | Uint8Array, shift: number): void => {
    if (pass(order, spare, column, shift)) [order, spare] = [spare, order];
  };
  sort(rows.prefixes, 0);
  for (const column of rows.words.toReversed()) {
    sort(column, 0);
    sort(column, 16);
  }
  return order;
};
