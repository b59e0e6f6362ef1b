/**
 * The configuration: a YAML file comes in, one frozen typed object comes out, or a single CONFIG_INVALID that lists
 * every problem as `file:line:col path message`. Defaults live in the schema and nowhere else.
 * Past this door nothing is `unknown`. It must never start with a configuration it did not fully understand,
 * and never quote a secret in a message.
 */
export { durationMs, spanMs } from './duration.ts';
export type { Endpoint } from './endpoint.ts';
export { explainConfig } from './explain.ts';
export type { Explained } from './explain.ts';
export { loadConfig, loadLayers } from './load.ts';
export type { LoadOptions, LoadedConfig } from './load.ts';
export { createReload } from './reload.ts';
export { configSchema } from './schema.ts';
export type { BaseConfig, NodeConfig, RuleSetting } from './schema.ts';
