/**
 * A small SIP phone. Who it is comes in, registrations and how long they took go out.
 * Must behave as customers' phones do, retransmissions and stale nonces included: what hurts it hurts them.
 */
export { digestHa1 } from './digest-answer.ts';
export { createPhone } from './phone.ts';
export type { Phone, PhoneOptions, Registration } from './phone.ts';
