/** Longest word that is compared; nobody misspells a longer key. */
const MAX_WORD = 64;

/** Edit distance with swapped neighbours (optimal string alignment). */
const distance = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
};

const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, '');

/** The known word that was probably meant: at most a third of its letters off; undefined when none is near. */
export const suggest = (word: string, known: readonly string[]): string | undefined => {
  if (word.length > MAX_WORD) return undefined;
  let best: { readonly word: string; readonly off: number } | undefined;
  for (const candidate of known) {
    const off = distance(plain(word), plain(candidate));
    if (off <= Math.max(1, Math.floor(candidate.length / 3)) && (best === undefined || off < best.off))
      best = { word: candidate, off };
  }
  return best?.word;
};
