/** Files of addresses ↔ rows: CSV, plain lists, JSON, and the tables of other programs. Leniently; a bad row is told by its line. */
export * from './csv.ts';
export * from './read-rows.ts';
