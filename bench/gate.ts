import { Client } from 'pg';

import { decideCall, gatherGateFacts, type GatePorts } from '../src/calls/call-gate.ts';
import { readContact } from '../src/contacts/contact-store.ts';
import { readLines, type StoredLine } from '../src/lines/line-store.ts';
import type { Database } from '../src/database/database.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import type { AccountId, ContactId } from '../src/platform/ids.ts';
import { systemRandom } from '../src/platform/random.ts';
import { DEFAULT_ACCOUNT_POLICY, type Layers } from '../src/policy/layers.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { evaluateCall, type CallFacts } from '../src/policy/policy.ts';
import { factsOf } from '../src/policy/policy-vectors.ts';
import { testDatabase } from '../test/database.ts';
import { benchPacks, seedDial } from './dial-seed.ts';
import { compare, median, type BenchResult } from './harness.ts';

/**
 * Decisions of the gate: in process, for facts at hand; and with the facts of random people from
 * the database, as `GET /v1/eligibility` gathers them. The reference reads the same rows by plain
 * prepared statements, opens no sealed field and decides nothing. Every size up to the wanted one
 * is measured in a database of its own, so that the last figures are a curve: it stays flat.
 *
 *   npm run bench -- gate                                  10,000 people, half a minute
 *   BENCH_GATE_PEOPLE=1000000 npm run bench -- gate        the curve: 10 k, 100 k, 1 M
 */
const PEOPLE = Number(process.env['BENCH_GATE_PEOPLE'] ?? 10_000);
const SIZES = [10_000, 100_000, 1_000_000].filter((size) => size < PEOPLE);
const ROUNDS = 5;
const IN_PROCESS = 20_000;
const FROM_DATABASE = 1_000;
const AT_ONCE = 4;

type Point = { size: number; ours: number; bare: number };

export async function run(): Promise<BenchResult[]> {
  const points: Point[] = [];
  for (const size of [...SIZES, PEOPLE]) points.push(await measure(size));
  const strict = makePolicyPacks();
  const pack = strict.of('strict-2026-01');
  const facts = factsOf({ title: 'a call', kind: 'call', facts: {}, code: null }, pack);
  const lawful = strict.layersOf(
    { policyPack: pack.name, accountPolicy: DEFAULT_ACCOUNT_POLICY, ownLimits: {} },
    facts.contact,
  );
  return [
    inProcess('decisions in process, pack alone', facts, { pack, narrower: [] }),
    inProcess('decisions in process, with the law of the place', facts, lawful),
    ...points.map(({ size, ours, bare }) =>
      compare({
        name: `decisions with facts from the database, ${size} people`,
        value: ours,
        unit: '/s',
        reference: { name: 'the same reads alone', value: bare },
      }),
    ),
  ];
}

function inProcess(name: string, facts: CallFacts, layers: Layers): BenchResult {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = clock.monotonic();
    for (let n = 0; n < IN_PROCESS; n += 1) evaluateCall({ ...facts, now: facts.now + n }, layers);
    rates.push((IN_PROCESS / (clock.monotonic() - from)) * 1_000);
  }
  return compare({ name, value: median(rates), unit: '/s', goal: { atLeast: 10_000 } });
}

async function measure(size: number): Promise<Point> {
  const store = await testDatabase();
  const seed = await seedDial(store.connectionString, store.database.vault, size);
  const clients = await clientsOf(store.connectionString);
  try {
    const people = await somePeople(clients, FROM_DATABASE);
    const [line] = await readLines(store.database, [people[0]?.line_id as StoredLine['id']]);
    if (line === undefined) throw new Error('the seeded line is missing');
    const ports = { packs: benchPacks(), doNotCallKey: systemRandom.bytes(32) };
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await rate(people, (one) => decideOne(store.database, ports, line, one)));
      bare.push(await rate(people, (one, lane) => readOne(clients[lane], line, one)));
    }
    return { size, ours: median(ours), bare: median(bare) };
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await seed.close();
    await store.close();
  }
}

type Person = { id: ContactId; account_id: AccountId; bucket: number; line_id: string };

async function somePeople([client]: readonly Client[], count: number): Promise<Person[]> {
  const { rows } = await (client ?? new Client()).query<Person>(
    `select c.id, c.account_id, c.bucket, s.line_id from contacts c
       join consents s on s.bucket = c.bucket and s.contact_id = c.id
      order by md5(c.id) limit $1`,
    [count],
  );
  return rows;
}

async function clientsOf(connectionString: string): Promise<Client[]> {
  const clients = Array.from({ length: AT_ONCE }, () => new Client({ connectionString }));
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

/** Questions a second, some side by side. */
async function rate(
  people: readonly Person[],
  ask: (one: Person, lane: number) => Promise<void>,
): Promise<number> {
  const waiting = [...people];
  const from = clock.monotonic();
  const lane = async (number: number): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await ask(one, number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => lane(number)));
  return (people.length / (clock.monotonic() - from)) * 1_000;
}

async function decideOne(
  database: Database,
  ports: GatePorts,
  line: StoredLine,
  { id, account_id: accountId }: Person,
): Promise<void> {
  const contact = await readContact(database, accountId, id);
  if (contact === null) throw new Error('a seeded person is missing');
  const facts = await gatherGateFacts(database, ports, [contact], [line.id]);
  const purpose = 'anything';
  decideCall(ports, facts, {
    contact,
    line,
    purpose,
    callId: null,
    endpointKnown: true,
    now: clock.now(),
  });
}

/** The rows that a decision rests on, by their keys, and nothing made of them. */
const READS = [
  'select * from contacts where bucket = $1 and id = $2',
  'select * from consents where bucket = $1 and contact_id = $2',
  'select * from do_not_call where bucket = $1 and handle_hmac = sha256($2::text::bytea)',
  `select * from calls where bucket = $1 and contact_id = $2 and status <> 'ended'`,
  'select * from meta_answers where bucket = $1 and contact_id = $2',
];

async function readOne(
  client: Client | undefined,
  line: StoredLine,
  { bucket, id }: Person,
): Promise<void> {
  if (client === undefined) throw new Error('no client for this lane');
  for (const [index, text] of READS.entries()) {
    await client.query({ name: `bench_gate_${index}`, text, values: [bucket, id] });
  }
  const text = 'select * from lines where id = $1';
  await client.query({ name: 'bench_gate_line', text, values: [line.id] });
}
