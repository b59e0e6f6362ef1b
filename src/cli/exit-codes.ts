/** 0 done; 1 refused or failed; 3 not asked at all: usage, or no service. `check` has its own 0, 1, 2. */
export const EXIT = { ok: 0, failed: 1, notAsked: 3 } as const;
