/**
 * Builds every part and connects the flow. Read this first.
 *
 *     hook.ask → facts → findings → verdict → answer, and after it: lists, enforcers, database, log, live feed
 */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { openControlSocket, startHttp } from './admin/index.ts';
import { configSchema, loadConfig } from './config/index.ts';
import { Judge, decideSchema } from './decide/index.ts';
import { createDetectors, detectSchema } from './detect/index.ts';
import { createKamailioEnforcer, readLocations, readPeers } from './enforce/index.ts';
import { createEnricher } from './enrich/index.ts';
import { isLoopbackRange } from './model/index.ts';
import type {
  Answer,
  Change,
  DecisionEvent,
  ListEntry,
  Outcome,
  Request,
  StatusReport,
  Verdict,
} from './model/index.ts';
import { createLiveFeed, createLog, createMetrics, decisionLine } from './observe/index.ts';
import {
  AddressLists,
  createAdoption,
  createEffects,
  createOperations,
  createStatus,
  keepVigil,
} from './operate/index.ts';
import { openHook } from './receive/index.ts';
import { openRecords } from './store/index.ts';
import {
  chooseStateDirectory,
  controlSocketPaths,
  installationSecret,
  lineSecrets,
  makeStateDirectory,
  processChoice,
  systemClock,
  writeKamailioSecret,
} from './system/index.ts';

export interface CompanionOptions {
  readonly configFile?: string | undefined;
  readonly mode?: 'shadow' | 'enforce' | undefined;
  readonly debug?: boolean | undefined;
}

export interface Companion {
  status(): StatusReport;
  /** Where its doors and files are, for what `companion run` tells its operator. */
  readonly places: {
    readonly socket: string;
    readonly state: string;
    readonly secretFile: string;
    readonly http: string | undefined;
  };
  stop(): Promise<void>;
}

/** Ended entries are taken out this often. */
const EXPIRE_EVERY_MS = 500;

/** Addresses of this machine, but for loopback, where an attacker on the machine itself may sit. */
const machineAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );

/**
 * Starts the service: database first (what should be enforced is known before anybody asks), then operators' doors, then
 * the hook and the enforcers.
 * @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE, PORT_IN_USE, STORE_FAILED
 */
export const startCompanion = async (options: CompanionOptions = {}): Promise<Companion> => {
  const config = loadConfig({
    file: options.configFile,
    env: process.env,
    schema: configSchema({ decide: decideSchema, detect: detectSchema }),
  });
  const mode = options.mode ?? config.mode;
  const clock = systemClock;
  const startedAt = clock.now();
  const log = createLog(options.debug === true ? 'debug' : config.log.level);
  const stateDirectory = makeStateDirectory(chooseStateDirectory(processChoice(config.state_dir)));
  const secret = config.hook.secret ?? installationSecret(join(stateDirectory, 'secret'));
  const secretFile = writeKamailioSecret(join(stateDirectory, 'kamailio-secret.cfg'), lineSecrets(secret));

  // memory: ledger, lists, detectors
  const own = new Set([...config.own_addresses, ...machineAddresses()]);
  const lists = new AddressLists();
  const enrich = createEnricher({
    extraAgents: config.agents.extra.map((pattern) => ({ pattern, risk: 'low' as const })),
    lists: (ip) => lists.verdict(ip),
    isOwn: (ip) => own.has(ip) && (!isLoopbackRange(ip) || config.own_addresses.includes(ip)),
  });
  const detectors = createDetectors(config.detect);
  const judge = new Judge(config.decide);
  const records = await openRecords({ file: join(stateDirectory, 'companion.sqlite'), clock, log });
  const remembered = await records.load(startedAt);
  for (const rung of remembered.ladder) judge.ladder.restore(rung);
  const restore = (changes: readonly Change[]): void => {
    for (const change of changes) lists.apply(change);
  };
  // what others put into a server's table is found there again, if it still stands
  for (const entry of remembered.entries) if (entry.origin !== 'foreign') restore(judge.ledger.put(entry));
  for (const kind of ['allow', 'deny'] as const) {
    for (const { subject, note } of config[kind]) {
      const entry: ListEntry = {
        kind,
        subject,
        note,
        author: 'configuration',
        origin: 'operator',
        reason: note === '' ? `${kind} list` : note,
        since: startedAt,
        until: null,
      };
      restore(judge.ledger.put(entry));
    }
  }

  // the flow
  const onBug = (error: unknown): void =>
    log.error({ event: 'bug', error: error instanceof Error ? error.stack : String(error) }, 'a bug in companion');
  const counts = {
    requests: 0,
    outcomes: 0,
    answers: { allow: 0, drop: 0, challenge: 0 },
    drops: {} as Record<string, number>,
  };
  const feed = createLiveFeed();
  feed.subscribe((event: DecisionEvent) => {
    if (event.change === 'good' || event.reason.startsWith('good ')) log.debug(decisionLine(event));
    else log.info(decisionLine(event));
    if (event.reason.endsWith('behind-a-proxy')) {
      log.warn(
        { event: 'alarm', alarm: 'behind-a-proxy', src: event.subject },
        'one address carries a large share of all customers: is this server behind a load balancer or NAT that hides addresses?',
      );
    }
  });
  const enforcers = config.nodes.map((node) => {
    return createKamailioEnforcer({
      name: node.name,
      rpcUrl: node.rpc,
      token: lineSecrets(node.secret ?? secret).down,
      clock,
      log,
      desired: () => (mode === 'enforce' ? judge.ledger.entries() : judge.ledger.entries('good', 'allow')),
      // customers first: whoever is registered there is known-good before any ban is pushed
      beforeFirstPush: async (rpc) => {
        adoption.bindings(node.name, await readLocations(rpc));
        const peers = (await readPeers(rpc)).filter(({ source }) => source === 'dispatcher');
        adoption.dispatcher(
          node.name,
          peers.map(({ ip }) => ip),
        );
      },
      onForeign: (found) => adoption.foreign(node.name, found),
    });
  });
  const effects = createEffects({
    mode,
    clock,
    lists,
    records,
    enforcers: () => enforcers,
    publish: (event) => feed.publish(event),
    onBug,
  });
  const judged = (event: Request | Outcome): Verdict => {
    const facts = enrich(event);
    return judge.judge(event, facts, detectors.detect(event, facts));
  };
  const take = (event: Request | Outcome): void => {
    const verdict = judged(event);
    effects.push(verdict.changes, { by: 'event', event, verdict });
  };
  const adoption = createAdoption({ judge, effects, clock, take });
  const drop = (reason: string): void => {
    counts.drops[reason] = (counts.drops[reason] ?? 0) + 1;
  };

  const hook = await openHook(
    {
      host: config.hook.listen,
      askPort: config.hook.ask_port,
      tellPort: config.hook.tell_port,
      clock,
      nodes: config.nodes.map(({ name, transport, control, evapi, secret: nodeSecret }) => {
        const { up, down } = lineSecrets(nodeSecret ?? secret);
        return { name, transport, control, evapi, secretUp: up, secretDown: down };
      }),
    },
    {
      ask(request) {
        counts.requests += 1;
        const verdict = judged(request);
        const answer: Answer = mode === 'shadow' ? 'allow' : verdict.answer;
        counts.answers[answer] += 1;
        return { answer, after: () => effects.push(verdict.changes, { by: 'event', event: request, verdict }) };
      },
      tell(request) {
        counts.requests += 1;
        take(request);
      },
      outcome(outcome) {
        counts.outcomes += 1;
        take(outcome);
      },
      expired: (node, table, key) => adoption.expired(node, table, key),
      hello: (node) => enforcers.find(({ name }) => name === node)?.poke(),
      drop,
      failed: (error) => log.error({ event: 'hook-failed', error: error.message }, 'a socket of the hook failed'),
    },
  );
  const status = createStatus({
    mode,
    startedAt,
    judge,
    hook,
    enforcers,
    counts,
    tables: () => detectors.tables(),
    records,
    effects,
  });
  const metrics = createMetrics(status.metricSources);
  const operations = createOperations({
    judge,
    lists,
    effects,
    records,
    enforcers,
    clock,
    banTimeMs: config.decide.ban_time,
    ownAddresses: () => [...own],
    status: status.report,
    subscribe: (listener) => feed.subscribe(listener),
  });
  const control = await openControlSocket(
    controlSocketPaths({ explicit: config.socket, env: process.env, stateDirectory }),
    { operations, onBug },
  );
  const http =
    config.http === false
      ? undefined
      : await startHttp({
          listen: config.http.listen,
          token: config.http.token ?? installationSecret(join(stateDirectory, 'token')),
          operations,
          onBug,
          clock,
          beyondLoopback: config.http.beyond_loopback,
          metrics: async () => ({
            contentType: 'text/plain; version=0.0.4; charset=utf-8',
            text: await metrics.render(),
          }),
        });
  const expiry = setInterval(
    () => effects.push(judge.expire(clock.now()), { by: 'companion', node: '' }),
    EXPIRE_EVERY_MS,
  );
  const endVigil = keepVigil(status.report, log, clock);
  log.info(
    {
      event: 'started',
      mode,
      socket: control.path,
      http: http === undefined ? null : `${http.host}:${http.port}`,
      state: stateDirectory,
      secret_file: secretFile,
    },
    'companion started',
  );

  return {
    status: status.report,
    places: {
      socket: control.path,
      state: stateDirectory,
      secretFile,
      http: http === undefined ? undefined : `http://${http.host}:${http.port}`,
    },
    async stop() {
      clearInterval(expiry);
      endVigil();
      await Promise.allSettled([
        hook.stop(),
        control.close(),
        http?.close(),
        ...enforcers.map((enforcer) => enforcer.stop()),
      ]);
      await records.close();
      log.info({ event: 'stopped' }, 'companion stopped');
    },
  };
};
