import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queryable } from '../database/database.ts';
import { readMigrations } from '../database/migrate.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { openVault } from '../platform/vault.ts';
import { registerHealthRoutes, type ReadinessCheck } from './health-routes.ts';
import { makeHttpMetrics } from './metrics.ts';
import { openHttpServer } from './server.ts';

const NEWEST = readMigrations().at(-1)?.version ?? 0;

function databaseAt(version: number): Queryable {
  const rows = async <Row extends object>() => [{ version }] as unknown as Row[];
  const vault = openVault(Buffer.alloc(32), seededRandom(1));
  return { vault, run: rows, first: async <Row extends object>() => (await rows<Row>())[0] };
}

async function open(version: number, checks: Record<string, ReadinessCheck> = {}) {
  const clock = new ManualClock();
  const ids = makeIds(clock, seededRandom(1));
  const metrics = makeHttpMetrics();
  const app = await openHttpServer({ log: silentLog, clock, ids, metrics });
  registerHealthRoutes(app, { database: databaseAt(version), clock, metrics, checks });
  return { app, clock };
}

test('a node with a migrated database and passing checks is ready', async () => {
  const { app } = await open(NEWEST, { media: async () => {} });
  assert.deepEqual((await app.inject({ url: '/healthz' })).json(), { ok: true });
  const ready = await app.inject({ url: '/readyz' });
  assert.equal(ready.statusCode, 200);
  assert.deepEqual(ready.json(), { ok: true, checks: { database: 'ok', media: 'ok' } });
  assert.match((await app.inject({ url: '/metrics' })).body, /nodejs_eventloop_lag_seconds/);
  await app.close();
});

test('an old schema, a failing and a hanging check make it not ready', async () => {
  const hanging = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { app, clock } = await open(0, {
    media: async () => {
      throw new Error('secret path');
    },
    meta: () => {
      asked.resolve();
      return hanging.promise;
    },
  });
  const pending = app.inject({ url: '/readyz' });
  const response = pending.then((value) => value);
  await asked.promise;
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(2_000);
  const ready = await response;
  assert.equal(ready.statusCode, 503);
  assert.deepEqual(ready.json().checks, {
    database: 'failed',
    media: 'failed',
    meta: 'timed out',
  });
  assert.ok(!ready.body.includes('secret'));
  hanging.resolve();
  await app.close();
});
