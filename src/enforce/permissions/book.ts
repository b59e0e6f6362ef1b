import type { Row } from './rows.ts';

/** Where Kamailio's permissions module reads its addresses from. Everything outside of our groups is the operator's. */
export interface AddressBook {
  /** As it is shown to the operator. */
  readonly place: string;
  /**
   * Makes our groups hold exactly these rows, behind everything else that stands there.
   * @returns whether anything had to be changed
   * @throws Error with a sentence that says what is in the way
   */
  write(rows: readonly Row[]): Promise<boolean>;
}
