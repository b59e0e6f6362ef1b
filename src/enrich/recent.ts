/** A few dozen models of phones are what a server hears all day. Each place may hold the message that its text is part of: 8 MB at most. */
const PLACES = 128;

/**
 * Remembers what was worked out for texts that come again and again, each in one place, where the next text of that place
 * pushes it out. The place is chosen by three numbers of the text, which is quicker than what is saved: texts that meet in
 * one place cost a comparison more than nothing remembered.
 */
export const createRecent = <Value>(workOut: (text: string) => Value): ((text: string) => Value) => {
  const texts: string[] = Array.from({ length: PLACES }, () => '');
  const values: Value[] = texts.map(workOut);
  return (text) => {
    const { length } = text;
    if (length === 0) return workOut(text);
    const place = (length * 31 + text.charCodeAt(length >> 1) * 7 + text.charCodeAt(length - 1)) & (PLACES - 1);
    if (texts[place] !== text) {
      values[place] = workOut(text);
      texts[place] = text;
    }
    return values[place]!;
  };
};
