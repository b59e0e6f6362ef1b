import { userInfo } from 'node:os';

/** Who is named in the audit trail for what is done from this command line: `operator:<user name>`. */
export const author = (): string => {
  try {
    return `operator:${userInfo().username.slice(0, 80)}`;
  } catch {
    // No passwd entry for this user id: usual in containers.
    return `operator:uid-${process.getuid?.() ?? 'unknown'}`;
  }
};
