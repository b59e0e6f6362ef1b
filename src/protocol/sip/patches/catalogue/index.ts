/**
 * Every patch there is, by what it protects: Kamailio, OpenSIPS, and what stands behind or beside them. An entry is data;
 * a row of the bug table without a message that a rule could name (floods, media, missing authentication) has none here
 * and is named with its reason in the README.
 */
import type { Patch } from '../patch.ts';
import { BEHIND } from './behind.ts';
import { KAMAILIO } from './kamailio.ts';
import { OPENSIPS } from './opensips.ts';

export const PATCHES: readonly Patch[] = [...KAMAILIO, ...OPENSIPS, ...BEHIND];
