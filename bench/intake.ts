import { execFile } from 'node:child_process';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { statement, type Database } from '../src/database/database.ts';
import { openHttpServer } from '../src/http/server.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { intakeRoutes, WEBHOOK_PATH } from '../src/whatsapp/intake-routes.ts';
import { openIntake } from '../src/whatsapp/intake.ts';
import { testDatabase } from '../test/database.ts';
import { compare, median, type BenchResult } from './harness.ts';

/**
 * Signed webhooks of 1.5 kB, on disk before the 200: our whole HTTP server with deduplication
 * and lanes, against the least that could do the job. Both group their commits alike, store into
 * the same PostgreSQL with its safe settings, and are measured in turns.
 */
const SECRET = 'bench-app-secret';
const CONNECTIONS = 64;
const ROUNDS = 8;
const WARM_UP_MS = 500;
const ROUND_MS = 1500;
const RATIO_GOAL = 0.8;

type Load = { perSecond: number; p50: number; p99: number; failed: number };
type Target = { port: number; close(): Promise<void> };

export async function run(): Promise<BenchResult[]> {
  const store = await testDatabase({ durable: true });
  const ours = await openOurs(store.database);
  const reference = await openReference(store.database);
  const oursLoads: Load[] = [];
  const referenceLoads: Load[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const turns = [
        async () => oursLoads.push(await load(ours.port, WEBHOOK_PATH)),
        async () => referenceLoads.push(await load(reference.port, '/')),
      ];
      // Who goes first changes, so that neither always runs after a checkpoint of the other.
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
  } finally {
    await ours.close();
    await reference.close();
    await store.close();
  }
  const name = 'bare node:http, verify and one grouped insert';
  const middle = (loads: Load[], figure: keyof Load): number =>
    median(loads.map((item) => item[figure]));
  return [
    compare({
      name: 'durable webhooks per second',
      value: middle(oursLoads, 'perSecond'),
      unit: '/s',
      reference: { name, value: middle(referenceLoads, 'perSecond') },
      goal: { ratioAtLeast: RATIO_GOAL },
    }),
    compare({
      name: 'time to the 200, p50',
      value: middle(oursLoads, 'p50'),
      unit: 'ms',
      reference: { name, value: middle(referenceLoads, 'p50') },
    }),
    compare({
      name: 'time to the 200, p99',
      value: middle(oursLoads, 'p99'),
      unit: 'ms',
      reference: { name, value: middle(referenceLoads, 'p99') },
      goal: { atMost: 200 },
    }),
  ];
}

async function load(port: number, path: string): Promise<Load> {
  const script = join(import.meta.dirname, 'intake-load.ts');
  const numbers = [CONNECTIONS, WARM_UP_MS, ROUND_MS].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    String(port),
    path,
    SECRET,
    ...numbers,
  ]);
  const report = JSON.parse(stdout) as Load;
  if (report.failed > 0) throw new Error(`${report.failed} webhooks were not answered 200`);
  return report;
}

async function openOurs(database: Database): Promise<Target> {
  const clock = systemClock;
  const intake = openIntake({ database, log: silentLog, clock, onStored: () => undefined });
  const server = await openHttpServer({
    log: silentLog,
    clock,
    ids: makeIds(clock, systemRandom),
  });
  const secrets = { verifyTokens: ['token'], appSecrets: [SECRET] };
  await server.register(intakeRoutes, {
    intake,
    log: silentLog,
    lookup: () => secrets,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: (server.server.address() as AddressInfo).port,
    async close() {
      await server.close();
      await intake.close();
    },
  };
}

const CREATE_BARE = statement(
  'bench_intake_create',
  'create table bench_bare_inbox (id bigint generated always as identity primary key, body bytea)',
);
const INSERT_BARE = statement(
  'bench_intake_insert',
  'insert into bench_bare_inbox (body) select * from unnest($1::bytea[])',
);

async function openReference(database: Database): Promise<Target> {
  await database.run(CREATE_BARE);
  const waiting: Array<{ body: Buffer; response: ServerResponse }> = [];
  const underWay = new Set<Promise<void>>();
  const flush = (): void => {
    while (underWay.size < 2 && waiting.length > 0) {
      const batch = waiting.splice(0, 256);
      const stored = database
        .run(INSERT_BARE, [batch.map(({ body }) => body)])
        .then(() => {
          for (const { response } of batch) response.writeHead(200, { 'content-length': 0 }).end();
        })
        .finally(() => {
          underWay.delete(stored);
          flush();
        });
      underWay.add(stored);
    }
  };
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      if (isSigned(body, request)) {
        waiting.push({ body, response });
        flush();
      } else {
        response.writeHead(401).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

function isSigned(body: Buffer, request: IncomingMessage): boolean {
  const given = Buffer.from(String(request.headers['x-hub-signature-256']).slice(7), 'hex');
  const expected = createHmac('sha256', SECRET).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
