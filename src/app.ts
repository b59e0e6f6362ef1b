/**
 * Builds every part and connects the flow. Read this first.
 *
 *     hook.ask → facts → findings → verdict → answer, and after it: lists, enforcers, database, log, live feed
 */
import { join } from 'node:path';
import { openDoors, openTokenFile } from './admin/index.ts';
import type { Doors } from './admin/index.ts';
import { createReload, loadConfig } from './config/index.ts';
import { carriesMany } from './decide/index.ts';
import { openElsewhere } from './elsewhere/index.ts';
import type { Elsewhere } from './elsewhere/index.ts';
import { createNodes } from './enforce/index.ts';
import { companionSchema, createJudging } from './judging/index.ts';
import type {
  Answer,
  Figures,
  Outcome,
  ReloadReport,
  Request,
  StatusReport,
  TraceEvent,
  Verdict,
} from './model/index.ts';
import {
  createDecisionLog,
  createExposition,
  createLiveFeed,
  createLog,
  createTally,
  judgedLine,
  openSecurityLog,
} from './observe/index.ts';
import {
  createAlarms,
  createAdoption,
  createBookkeeping,
  createCounts,
  createEffects,
  createLastAgents,
  createLastShapes,
  createDoubtAlarm,
  createProxyAlarm,
  createRecentUse,
  createSamples,
  createNotices,
  createOperations,
  createReloading,
  createStatus,
  createTraces,
  createTune,
  Peaks,
  keepVigil,
  openKept,
  restoreMemory,
} from './operate/index.ts';
import { chooseStateDirectory, controlSocketPaths, processChoice } from './places/index.ts';
import { openHook } from './receive/index.ts';
import { openRecords } from './store/index.ts';
import {
  installationSecret,
  lineSecrets,
  machineAddresses,
  makeStateDirectory,
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
  /** Reads the configuration again. @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE: the old one goes on */
  reload(): ReloadReport;
  /** Where its doors and files are, for what `companion run` tells its operator. */
  readonly places: {
    readonly socket: string;
    readonly state: string;
    readonly secretFile: string;
    readonly http: string | undefined;
  };
  stop(): Promise<void>;
}

export { companionSchema };

/** Ended entries are taken out this often. */
const EXPIRE_EVERY_MS = 500;

/**
 * Starts the service: database first (what should be enforced is known before anybody asks), then operators' doors, then
 * the hook and the enforcers.
 * @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE, PORT_IN_USE, STORE_FAILED
 */
export const startCompanion = async (options: CompanionOptions = {}): Promise<Companion> => {
  const readConfig = () => loadConfig({ file: options.configFile, env: process.env, schema: companionSchema });
  const config = readConfig();
  const mode = options.mode ?? config.mode;
  const clock = systemClock;
  const startedAt = clock.now();
  const levelOf = ({ log: { level } }: typeof config): string => (options.debug === true ? 'debug' : level);
  const log = createLog(levelOf(config));
  const stateDirectory = makeStateDirectory(chooseStateDirectory(processChoice(config.state_dir)));
  const secret = config.hook.secret ?? installationSecret(join(stateDirectory, 'secret'));
  const secretFile = writeKamailioSecret(join(stateDirectory, 'kamailio-secret.cfg'), lineSecrets(secret));
  for (const { name, secret: its } of config.nodes)
    if (its !== undefined) writeKamailioSecret(join(stateDirectory, `kamailio-secret-${name}.cfg`), lineSecrets(its));

  // the database is a thread of its own: it reads while the rest is built
  const opening = openRecords({ file: join(stateDirectory, 'companion.sqlite'), clock, log });
  const reading = opening.then(async (opened) => opened.load(startedAt));
  // awaited below; what fails before that ends the start
  reading.catch(() => undefined);

  // memory: ledger, lists, detectors
  let elsewhere: Elsewhere | undefined;
  const judging = createJudging(config, machineAddresses(), {
    databases: () => elsewhere?.geo.databases() ?? [],
    listed: (ip) => elsewhere?.feeds.listing(ip),
    hasNumber: (number) => elsewhere?.feeds.hasNumber(number) === true,
    versionOf: (node) => enforcers.find(({ name }) => name === node)?.status().version ?? '',
  });
  const { judge, lists, own, decideSettings } = judging;
  const records = await opening;
  restoreMemory({ remembered: await reading, judge, lists, configured: config, at: startedAt });

  const kept = await openKept({ records, clock, log, judge, falseAlarmMs: decideSettings.false_alarm_time });

  // the flow
  const onBug = (error: unknown): void =>
    log.error({ event: 'bug', error: error instanceof Error ? error.stack : String(error) }, 'a bug in companion');
  const feed = createLiveFeed();
  const decisionLog = createDecisionLog(log, clock);
  const counts = createCounts((reason) => decisionLog.drop(reason));
  const securityLog = openSecurityLog(config.log.security, process.pid, log);
  for (const listener of [decisionLog.decision, securityLog.take]) feed.subscribe(listener);
  const tally = createTally();
  const everything = options.debug === true ? (event: TraceEvent): void => log.debug(judgedLine(event)) : undefined;
  const traces = createTraces(judge, everything, judging.toolOf);
  const agents = createLastAgents();
  const shapes = createLastShapes(judging.toolOf);
  const recent = createRecentUse();
  const samples = createSamples();
  const { density, enumeration, digest_guessing: guessing } = config.detect;
  const peaks = new Peaks(
    { burst: density.window, targets: enumeration.window, failures: guessing.user_window },
    (identity) => judge.ledger.hasGood(identity),
  );
  kept.follow({ peaks, samples, shapes, recent });
  const enforcers = createNodes({
    nodes: config.nodes.map(({ name, rpc, secret: its }) => ({ name, rpc, token: lineSecrets(its ?? secret).down })),
    permissions: config.permissions,
    clock,
    log,
    mode,
    *entries(...kinds) {
      yield* judge.ledger.entries(...kinds);
      if (kinds.length === 0) yield* elsewhere?.pushed() ?? [];
    },
    adoption: () => adoption,
  });
  const effects = createEffects({
    mode,
    clock,
    lists,
    records,
    enforcers: () => enforcers,
    publish: (event) => feed.publish(event),
    agentOf: (identity) => agents.of(identity),
    onBug,
  });
  const alarms = createAlarms(log);
  const lasting = [
    createProxyAlarm(alarms, clock, (identity) => carriesMany(identity, judge.ledger, decideSettings.proxy_share)),
    createDoubtAlarm(alarms, clock),
  ];
  for (const alarm of lasting) feed.subscribe((event) => alarm.see(event));
  const notices = createNotices(alarms);
  const books = createBookkeeping([agents, shapes, tally, recent, samples], onBug);
  const figures = (): Figures => books.settled(tally).figures();
  /** What a verdict leads to, once the server has its answer. */
  const follow = (event: Request | Outcome, verdict: Verdict, answer?: Answer): void => {
    traces.see(event, verdict);
    notices.see(event, verdict);
    peaks.see(event);
    books.take(event, verdict, answer);
    effects.push(verdict.changes, { by: 'event', event, verdict });
  };
  const take = (event: Request | Outcome): void => follow(event, judging.judged(event));
  const adoption = createAdoption({ judge, effects, clock, take });
  const outside = await openElsewhere({
    config,
    stateDirectory,
    clock,
    log,
    judging,
    effects,
    alarms,
    onBug,
    switches: kept.switches,
    audit: (line) => records.audit(line),
    shadow: mode === 'shadow',
    enforce: (changes) => {
      if (mode === 'enforce') for (const enforcer of enforcers) enforcer.apply(changes);
    },
  });
  elsewhere = outside;
  judging.backgrounds.forget();

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
        const verdict = judging.judged(request);
        const answer: Answer = mode === 'shadow' ? 'allow' : verdict.answer;
        return {
          answer,
          after() {
            counts.answers[answer] += 1;
            follow(request, verdict, answer);
            outside.see(request, verdict);
          },
        };
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
      drop: (reason) => counts.drop(reason),
      failed: (error) => log.error({ event: 'hook-failed', error: error.message }, 'a socket of the hook failed'),
    },
  );
  const status = createStatus({
    mode,
    startedAt,
    judge,
    lists,
    hook,
    enforcers,
    counts,
    tables: () => ({ ...judging.tables(), 'why.samples': samples, 'why.recent': recent, 'tune.sources': peaks }),
    records,
    effects,
    alarms: alarms.list,
  });
  let doors: Doors | undefined;
  const enumerationSources = (): number => judging.tables()['enumeration.sources']?.size ?? 0;
  const exposition = createExposition({
    sources: {
      ...status.metricSources,
      sizes: () => ({
        ...status.metricSources.sizes(),
        ...outside.stats(),
        memos: { ...kept.stats() },
        alarms: { standing: alarms.list().length, dropped: alarms.dropped + notices.dropped },
      }),
    },
    figures,
    more: () => ({ ...doors?.stats(), security_log: { dropped: securityLog.dropped } }),
    activeBans: () => judge.ledger.count('ban'),
    enumerationSources,
    countries: outside.turnedAwayByCountry,
    aliases: config.metrics.aliases,
  });
  const swapped = createReload(config, readConfig, [
    { covers: /^log\.level$/, apply: (next) => void (log.level = levelOf(next)) },
    ...judging.swaps,
    ...outside.swaps,
  ]);
  const beforeReload = (): void => {
    doors?.http?.renew();
    securityLog.reopen();
  };
  const reload = createReloading(log, beforeReload, swapped);
  const operations = createOperations({
    judge,
    lists,
    effects,
    records,
    enforcers,
    clock,
    banTimeMs: () => decideSettings.ban_time,
    ownAddresses: () => [...own],
    status: status.report,
    subscribe: (listener) => feed.subscribe(listener),
    traces,
    shapesOf: (identity) => books.settled(shapes).of(identity),
    forgive: (identity, at) => judging.forgive(identity, at),
    tune: createTune({
      peaks,
      clock,
      countedSince: kept.countedSince,
      current: ([detector, name]) => {
        const settings: Readonly<Record<string, Readonly<Record<string, unknown>>>> = judging.detectSettings();
        return Number(settings[detector]?.[name]);
      },
    }),
    rehearsedOf: (identity, at) => judging.rehearsedOf(identity, at),
    closedNodes: config.nodes.flatMap(({ name, allowlist_only }) => (allowlist_only ? [name] : [])),
    sampleOf: (identity) => books.settled(samples).of(identity),
    usedBy: (text) => books.settled(recent).of(text),
    figures,
    enumerationSources,
    reload,
    background: (ip) => judging.backgrounds.of(ip),
    geo: outside.geo,
    feeds: outside.feeds,
    names: outside.names,
  });
  doors = await openDoors({
    operations,
    tokens: openTokenFile(join(stateDirectory, 'tokens.json'), clock),
    hook: hook.desk,
    onBug,
    clock,
    socketPaths: controlSocketPaths({ explicit: config.socket, env: process.env, stateDirectory }),
    http: config.http !== false && {
      listen: config.http.listen,
      token: config.http.token ?? installationSecret(join(stateDirectory, 'token')),
      // a server shows the secret of its frames
      hookTokens: config.nodes
        .filter(({ transport }) => transport === 'http')
        .map((node) => lineSecrets(node.secret ?? secret).up),
      tls: config.http.tls,
      beyondLoopback: config.http.beyond_loopback,
      metrics: exposition,
    },
  });
  const { control, http } = doors;
  const expire = (): void => {
    effects.push(judge.expire(clock.now()), { by: 'companion', node: '' });
    for (const alarm of lasting) alarm.tick();
  };
  const expiry = setInterval(expire, EXPIRE_EVERY_MS);
  void kept.fill();
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
    reload,
    places: {
      socket: control.path,
      state: stateDirectory,
      secretFile,
      http: http === undefined ? undefined : `${http.scheme}://${http.host}:${http.port}`,
    },
    async stop() {
      clearInterval(expiry);
      endVigil();
      decisionLog.stop();
      await Promise.allSettled([
        hook.stop(),
        doors?.close(),
        outside.stop(),
        ...enforcers.map((enforcer) => enforcer.stop()),
      ]);
      books.settle();
      await kept.stop();
      await records.close();
      securityLog.close();
      log.info({ event: 'stopped' }, 'companion stopped');
    },
  };
};
