import { readFileSync } from 'node:fs';

const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);

export interface LabelledMessage {
  readonly file: string;
  readonly rfcClass: string;
  readonly strict: string;
  readonly edge: string;
  readonly reason: string;
  readonly bytes: Buffer;
}

/** Fields of one line of CSV, quotes resolved. */
const fieldsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );

/** Every message of the data set with what is expected of it; the columns are described beside it. */
export const labelledMessages = (): readonly LabelledMessage[] => {
  const [head = '', ...lines] = readFileSync(new URL('verdicts.csv', SIP_DATA), 'utf8').trimEnd().split(/\r?\n/);
  const names = fieldsOf(head);
  return lines.map((line) => {
    const fields = fieldsOf(line);
    const field = (name: string): string => fields[names.indexOf(name)] ?? '';
    return {
      file: field('file'),
      rfcClass: field('rfc_class'),
      strict: field('strict_validator'),
      edge: field('edge_action'),
      reason: field('reason'),
      bytes: readFileSync(new URL(field('file'), SIP_DATA)),
    };
  });
};
