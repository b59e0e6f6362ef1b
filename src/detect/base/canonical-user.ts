/**
 * A user part as a server means it, for comparisons: percent-encoding resolved (RFC 3261 19.1.4), parameters cut off
 * (`+49301234;phone-context=x` is a number). Keys of the server's tables are made of what was written, not of this.
 */
export const canonicalUser = (user: string): string => {
  // nothing that a user part needs: mostly there is none
  if (!user.includes('%') && !user.includes(';')) return user;
  const end = user.indexOf(';');
  return (end > 0 ? user.slice(0, end) : user).replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
};
