import { statement, type Queryable } from '../database/database.ts';
import { readMigrations } from '../database/migrate.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpMetrics } from './metrics.ts';
import type { HttpServer } from './server.ts';

/**
 * What an orchestrator and a monitor ask. `/healthz` only says that the loop turns; `/readyz` says
 * whether traffic should come here. None of it needs a key, none of it holds a name or a number.
 */
export type ReadinessCheck = () => Promise<void>;

export type HealthOptions = {
  database: Queryable;
  clock: Clock;
  metrics: HttpMetrics;
  /** By name; a check that throws or takes longer than 2 s makes the node not ready. */
  checks?: Readonly<Record<string, ReadinessCheck>>;
};

const CHECK_TIMEOUT_MS = 2_000;

const MIGRATION_REACHED = statement<{ version: number }>(
  'http_migration_reached',
  'select coalesce(max(version), 0) as version from schema_migrations',
);

export function registerHealthRoutes(app: HttpServer, options: HealthOptions): void {
  const quiet = { schema: { hide: true }, config: { rateLimit: false } } as const;
  // Read once: what this process was built for, whatever is unpacked over it later.
  const wanted = readMigrations().at(-1)?.version ?? 0;
  const checks: Record<string, ReadinessCheck> = {
    database: () => checkMigrations(options.database, wanted),
    ...options.checks,
  };

  app.get('/healthz', quiet, async () => ({ ok: true }));

  app.get('/readyz', quiet, async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]): Promise<[string, string]> => [
        name,
        await outcome(check, options.clock),
      ]),
    );
    const ok = results.every(([, result]) => result === 'ok');
    return reply.code(ok ? 200 : 503).send({ ok, checks: Object.fromEntries(results) });
  });

  app.get('/metrics', quiet, async (_request, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()),
  );
}

/** Only the word leaves the process; why a check fails is the log's business. */
function outcome(check: ReadinessCheck, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const late = clock.after(CHECK_TIMEOUT_MS, () => resolve('timed out'));
    check()
      .then(
        () => resolve('ok'),
        () => resolve('failed'),
      )
      .finally(() => late.cancel());
  });
}

async function checkMigrations(database: Queryable, wanted: number): Promise<void> {
  const reached = await database.first(MIGRATION_REACHED);
  if ((reached?.version ?? 0) < wanted) throw new Error('migrations are not finished');
}
