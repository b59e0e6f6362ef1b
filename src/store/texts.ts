import type { Texts } from './messages.ts';

export const packTexts = (texts: readonly string[]): Texts => {
  const ends = new Uint32Array(texts.length);
  let end = 0;
  for (let at = 0; at < texts.length; at += 1) ends[at] = end += texts[at]?.length ?? 0;
  return { text: texts.join(''), ends };
};

/** The text with this number. */
export const textAt = ({ text, ends }: Texts, at: number): string =>
  text.slice(at === 0 ? 0 : (ends[at - 1] ?? 0), ends[at] ?? 0);
