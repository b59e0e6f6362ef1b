import { readdirSync, readFileSync } from 'node:fs';

const SIP_DATA = new URL('../../../shared/data/sip/', import.meta.url);
const FOLDERS = ['rfc4475', 'rfc3665', 'edge', 'sipvicious'] as const;

/** Every message of the data set, and the messages of its timelines that are not too alike. */
export const corpus = (): readonly Buffer[] => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, SIP_DATA)).map((file) => readFileSync(new URL(`${folder}/${file}`, SIP_DATA))),
  );
  const timelines = readdirSync(new URL('traces/', SIP_DATA)).flatMap((file) =>
    readFileSync(new URL(`traces/${file}`, SIP_DATA), 'utf8')
      .trimEnd()
      .split('\n')
      .filter((_, line) => line < 20)
      .map((line) => Buffer.from((JSON.parse(line) as { readonly b64: string }).b64, 'base64')),
  );
  return [...files, ...timelines];
};
