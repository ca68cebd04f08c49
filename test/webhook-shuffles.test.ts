import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { statement } from '../src/database/database.ts';
import { seededRandom, type Random } from '../src/platform/random.ts';
import { pick } from './simulation/day.ts';
import { scheduleOf } from './simulation/rows.ts';
import { openStage, STAGE_LINES, type Stage } from './simulation/stage.ts';
import { openWorld, type World } from './simulation/world.ts';

/**
 * M-02: what a person said reaches us in order and once, or shuffled, doubled, replayed, joined
 * into one delivery, and among things nobody knows. It must come to the same, or to something
 * stricter: a stop that comes late counts also against a yes that the person gave after it.
 * `npm run prove -- webhook-shuffles` plays ten thousand of them.
 */
const SHUFFLES = Number(process.env['ASKFIRST_PROOF_COUNT'] ?? 60);
/** So many people write at the same time: a stream alone would wait for the inbox each time. */
const SIDE_BY_SIDE = 30;
const TIMEOUT_MS = 60 * 60_000;

let stage: Stage;
let world: World;

before(async () => {
  stage = await openStage();
  world = await openWorld({ stage, seed: 1, mutation: null, onLine: null });
  world.calm();
  await world.start();
  await world.settled();
});
after(async () => {
  await world.close();
  await stage.close();
});

type Said = { kind: 'accept' | 'reject' | 'text'; text: string; atSeconds: number; nth: number };

const WORDS = ['STOP', 'where is my parcel?', 'ok', 'no thank you, call me tomorrow'];
let people = 0;

test(
  `${SHUFFLES} streams come to the same, however they arrive`,
  { timeout: TIMEOUT_MS },
  async (t) => {
    const random = seededRandom(7);
    let stricter = 0;
    for (let done = 0; done < SHUFFLES; done += SIDE_BY_SIDE) {
      const count = Math.min(SIDE_BY_SIDE, SHUFFLES - done);
      const streams = Array.from({ length: count }, () => drawStream(random));
      for (const [nth, pair] of (await playBoth(random, streams)).entries()) {
        const [wanted, found] = pair;
        assert.ok(wanted !== undefined && found !== undefined, 'nobody was heard');
        const said = streams[nth];
        const told = `stream ${done + nth}: ${JSON.stringify({ said, wanted, found })}`;
        // Never looser: who is not to be called is not called, however the words came.
        assert.ok(!isBlocked(wanted) || isBlocked(found), told);
        assert.ok(!mayCall(found) || mayCall(wanted), told);
        if (JSON.stringify(found) !== JSON.stringify(wanted)) stricter += 1;
      }
    }
    // A stop that comes late counts, also against a yes that was given after it.
    assert.ok(stricter < SHUFFLES / 2, `${stricter} of ${SHUFFLES} ended stricter than in order`);
    t.diagnostic(`${stricter} of ${SHUFFLES} ended stricter than in order, none looser`);
  },
);

test('a yes of between two stops, coming after both, lifts nothing', async () => {
  const number = newNumber();
  const at = Math.floor(world.clock.now() / 1_000) - 600;
  const said: Said[] = [
    { kind: 'reject', text: '', atSeconds: at, nth: 0 },
    { kind: 'text', text: 'STOP', atSeconds: at + 120, nth: 1 },
    { kind: 'accept', text: '', atSeconds: at + 60, nth: 2 },
  ];
  for (const each of said) {
    await deliver(webhook([change(number, each)]));
    await emptyInbox();
  }
  assert.equal((await stateOf(number))?.optedOut, true);
});

test('a batch of a thousand changes is taken in and folded', { timeout: TIMEOUT_MS }, async () => {
  const number = newNumber();
  const at = Math.floor(world.clock.now() / 1_000) - 2_000;
  const changes = Array.from({ length: 1_000 }, (_, nth) =>
    change(number, { kind: 'text', text: `line ${nth}`, atSeconds: at + nth, nth }),
  );
  const stop = { kind: 'text', text: 'STOP', atSeconds: at + 1_000, nth: 1_000 } as const;
  await deliver(webhook([...changes, change(number, stop)]));
  await emptyInbox();
  assert.equal((await stateOf(number))?.optedOut, true);
});

/** Each stream by one person as it was said and by another as the net brought it. */
async function playBoth(
  random: Random,
  streams: ReadonlyArray<readonly Said[]>,
): Promise<Array<[State | undefined, State | undefined]>> {
  const clean = streams.map(newNumber);
  const bent = streams.map(newNumber);
  const longest = Math.max(...streams.map((said) => said.length));
  for (let nth = 0; nth < longest; nth += 1) {
    const next = streams.flatMap((said, person) => {
      const each = said[nth];
      return each === undefined ? [] : [change(clean[person] ?? '', each)];
    });
    await deliver(webhook(next));
    // What one person says next must not overtake it in the inbox.
    await emptyInbox();
  }
  for (const [person, said] of streams.entries()) {
    for (const body of bend(random, bent[person] ?? '', said)) await deliver(body);
  }
  await emptyInbox();
  const states = await statesOf([...clean, ...bent]);
  return streams.map((_said, person) => [
    states.get(clean[person] ?? ''),
    states.get(bent[person] ?? ''),
  ]);
}

function isBlocked({ optedOut, pending }: State): boolean {
  return optedOut || pending;
}

function mayCall(state: State): boolean {
  return !isBlocked(state) && state.consents.includes('granted');
}

/** A few things that one person says, a minute apart. */
function drawStream(random: Random): Said[] {
  const now = Math.floor(world.clock.now() / 1_000);
  const count = 2 + random.below(5);
  return Array.from({ length: count }, (_, nth) => {
    const kind = pick(random, ['accept', 'reject', 'text'] as const);
    const atSeconds = now - (count - nth) * 60;
    return { kind, text: pick(random, WORDS), atSeconds, nth };
  });
}

/** The same stream as the net may bring it. */
function bend(random: Random, number: string, said: readonly Said[]): Buffer[] {
  const changes = said.map((each) => change(number, each));
  const doubled = changes.flatMap((each) => (random.below(3) === 0 ? [each, each] : [each]));
  const strange = doubled.flatMap((each) =>
    random.below(4) === 0 ? [each, stranger(random, each)] : [each],
  );
  const shuffled = shuffle(random, strange);
  const bodies: Buffer[] = [];
  while (shuffled.length > 0) {
    bodies.push(webhook(shuffled.splice(0, 1 + random.below(3))));
  }
  // Meta repeats what it has sent until it hears a 200, also when it has heard one.
  return [...bodies, ...bodies.filter(() => random.below(4) === 0)];
}

const idOf = (number: string, nth: number): string => `wamid.${number.slice(1)}.${nth}`;

type Change = { field: string; value: Record<string, unknown> };

function change(number: string, { kind, text, atSeconds, nth }: Said): Change {
  const waId = number.slice(1);
  const reply = {
    response: kind,
    response_source: 'user_action',
    ...(kind === 'accept'
      ? { is_permanent: false, expiration_timestamp: String(atSeconds + 604_800) }
      : {}),
  };
  const content =
    kind === 'text'
      ? { type: 'text', text: { body: text } }
      : {
          type: 'interactive',
          interactive: { type: 'call_permission_reply', call_permission_reply: reply },
        };
  const [line] = STAGE_LINES;
  return {
    field: 'messages',
    value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '442079460000', phone_number_id: line?.phoneNumberId },
      contacts: [{ profile: { name: 'Somebody' }, wa_id: waId }],
      messages: [{ from: waId, id: idOf(number, nth), timestamp: String(atSeconds), ...content }],
    },
  };
}

/** Something nobody knows, or that is not for us, made of something that is. */
function stranger(random: Random, { field, value }: Change): Change {
  const others: Change[] = [
    { field: 'holograms', value: { ...value, holograms: [{ colour: 'blue' }] } },
    { field, value: { ...value, messages: [{ id: 'wamid.x', type: 'hologram' }] } },
    { field, value: { ...value, metadata: { phone_number_id: '999' } } },
    { field, value: { messages: 'not a list', statuses: null, calls: 7 } },
    { field, value: { ...value, unknown_member: { deep: [null, true, 1e300] } } },
  ];
  return pick(random, others);
}

function webhook(changes: readonly Change[]): Buffer {
  const entry = changes.map((each) => ({ id: '200000000000001', changes: [each] }));
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }));
}

async function deliver(body: Buffer): Promise<void> {
  assert.equal(await world.deliver(body), 200);
}

async function emptyInbox(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    await world.settled();
    if (!(await scheduleOf(stage.forTheRest)).inboxWaits) return;
    world.clock.moveTo(world.clock.now() + 500, false);
  }
  assert.fail('the inbox does not empty');
}

function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T);
}

/** One that nobody had before. */
function newNumber(): string {
  people += 1;
  return `+4477${String(10_000_000 + people)}`;
}

type State = { consents: string[]; optedOut: boolean; pending: boolean };

const STATES = statement<{
  number: string;
  consents: string[] | null;
  opted_out: boolean;
  pending: boolean;
}>(
  'shuffles_states',
  `select '+' || split_part(f.key, '.', 2) as number,
      (select array_agg(status order by line_id) from consents where contact_id = c.id)
        as consents, opted_out_at is not null as opted_out,
      opt_out_pending_at is not null as pending
     from seen_facts f join contacts c on c.bucket = f.bucket and c.id = f.contact_id
    where f.key = any ($1::text[])`,
);

/** What the rows say of the people, by number; who is missing was never heard. */
async function statesOf(numbers: readonly string[]): Promise<Map<string, State>> {
  const keys = numbers.map((number) => `msg:${idOf(number, 0)}`);
  const rows = await stage.forTheRest.run(STATES, [keys]);
  return new Map(
    rows.map(({ number, consents, opted_out: optedOut, pending }) => [
      number,
      { consents: consents ?? [], optedOut, pending },
    ]),
  );
}

async function stateOf(number: string): Promise<State | undefined> {
  return (await statesOf([number])).get(number);
}
