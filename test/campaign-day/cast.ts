import { ensureAccount } from '../../src/accounts/account-store.ts';
import { makeApiClient, type ApiClient } from '../../src/cli/api-client.ts';
import { saveEndpoint } from '../../src/endpoints/endpoint-store.ts';
import { createApiKey } from '../../src/http/api-keys-store.ts';
import { installReady } from '../../src/journeys/journey-desk.ts';
import { READY_JOURNEYS } from '../../src/journeys/ready-journeys.ts';
import { saveLine } from '../../src/lines/line-store.ts';
import { makeIds, type AccountId } from '../../src/platform/ids.ts';
import type { Random } from '../../src/platform/random.ts';
import { makeSealer } from '../../src/platform/sealing.ts';
import { addBuiltInTemplates } from '../../src/templates/template-store.ts';
import type { PersonScript } from '../../simulator/people.ts';
import { PRESET } from '../../simulator/simulator.ts';
import type { Story } from '../harness.ts';

/** Who plays in the day: three businesses with five lines, and people of many kinds. */
export type Business = { accountId: AccountId; api: ApiClient; key: string; lawful: boolean };

export type DayLine = { id: string; phoneNumberId: string; business: Business };

export type Kind =
  | 'talks'
  | 'declines'
  | 'ignores'
  | 'away'
  | 'busy'
  | 'regrets'
  | 'revokes'
  | 'stopsAtOnce'
  | 'stopsLater'
  | 'moves'
  | 'listed';

export type Player = {
  number: string;
  country: 'GB' | 'FR';
  kind: Kind;
  /** After the question reached the phone; null when nothing is answered. */
  yesMs: number | null;
  /** After the question too: a stop or a revocation. */
  noMs: number | null;
};

/** Of a hundred people. Whoever is `listed` was on the do-not-call list before the day began. */
const KINDS: ReadonlyArray<readonly [Kind, number]> = [
  ['talks', 44],
  ['declines', 11],
  ['ignores', 14],
  ['away', 8],
  ['busy', 5],
  ['regrets', 3],
  ['revokes', 4],
  ['stopsAtOnce', 2],
  ['stopsLater', 3],
  ['moves', 4],
  ['listed', 2],
];
const MINUTE = 60_000;
const FRENCH_IN_TEN = 3;

export function drawPlayer(random: Random, index: number): Player {
  const isFrench = random.below(10) < FRENCH_IN_TEN;
  const number = isFrench
    ? `+3361${String(2_000_000 + index)}`
    : `+44770${String(1_100_000 + index)}`;
  const kind = drawKind(random);
  // Most answer within minutes, some hours later.
  const yesMs = 2_000 + random.below(random.below(4) === 0 ? 150 * MINUTE : 5 * MINUTE);
  const saysYes = !['declines', 'ignores', 'stopsAtOnce', 'listed'].includes(kind);
  const later = yesMs + 1_000 + random.below(40 * MINUTE);
  const noMs =
    kind === 'stopsAtOnce' ? yesMs : kind === 'stopsLater' || kind === 'revokes' ? later : null;
  return { number, country: isFrench ? 'FR' : 'GB', kind, yesMs: saysYes ? yesMs : null, noMs };
}

function drawKind(random: Random): Kind {
  let at = random.below(KINDS.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of KINDS) {
    if (at < weight) return kind;
    at -= weight;
  }
  return 'talks';
}

/** What the person's phone does by itself. */
export function scriptOf({ kind, yesMs, noMs }: Player): PersonScript {
  const whenAsked: Array<PersonScript['whenAsked'][number]> = [];
  if (yesMs !== null) whenAsked.push({ afterMs: yesMs, action: { action: 'allow' } });
  if (kind === 'declines') whenAsked.push({ afterMs: 3_000, action: { action: 'not_now' } });
  if (noMs !== null) {
    const stops = kind === 'stopsAtOnce' || kind === 'stopsLater';
    const action = stops
      ? ({ action: 'write', text: 'STOP' } as const)
      : ({ action: 'revoke' } as const);
    whenAsked.push({ afterMs: noMs, action });
  }
  const picksUp = ['talks', 'moves', 'revokes', 'stopsLater'].includes(kind);
  return {
    whenAsked,
    whenRinging: [
      ...(picksUp ? [{ afterMs: 2_000, action: { action: 'answer' } as const }] : []),
      ...(kind === 'busy' ? [{ afterMs: 2_000, action: { action: 'decline' } as const }] : []),
      ...(kind === 'regrets' ? [{ afterMs: 2_000, action: { action: 'revoke' } as const }] : []),
    ],
    whenAnswered: [{ afterMs: 5_000, action: { action: 'hang_up' } }],
  };
}

/** Two businesses beside the sandbox's, and a line more for it: five lines in all. */
export async function furnish(story: Story, random: Random): Promise<DayLine[]> {
  const ids = makeIds(story.clock, random);
  const sealer = makeSealer(story.secrets.dataKey, random);
  const now = story.clock.now();
  const url = story.server.url ?? '';
  return story.database.transaction(async (tx) => {
    const lines: DayLine[] = [];
    const addLines = async (business: Business, suffixes: readonly number[]): Promise<void> => {
      const endpointId = await saveEndpoint(tx, sealer, {
        id: ids.next('endpoint'),
        accountId: business.accountId,
        name: 'Desk',
        uri: 'sip:talk@127.0.0.1:5070',
        username: null,
        password: null,
        codecs: ['PCMU'],
        strategy: 'on_answer',
        ringTimeoutMs: 30_000,
        srtp: 'off',
        meanwhile: 'ringing',
      });
      for (const suffix of suffixes) {
        const phoneNumberId = `10000000000000${suffix}`;
        const displayNumber = `+44207946000${suffix}`;
        const { wabaId, accessToken, appSecret, verifyToken } = PRESET;
        const businessName = `Line ${suffix}`;
        story.simulator.addLine({
          phoneNumberId,
          wabaId,
          displayNumber,
          businessName,
          accessToken,
        });
        const id = await saveLine(tx, sealer, {
          id: ids.next('line'),
          accountId: business.accountId,
          name: businessName,
          displayNumber,
          country: 'GB',
          policyPack: 'strict-2026-01',
          defaultEndpointId: endpointId,
          access: {
            graphBaseUrl: story.simulator.url,
            graphVersion: 'v23.0',
            phoneNumberId,
            wabaId,
            accessToken,
          },
          appSecret,
          verifyToken,
        });
        if (id !== null) lines.push({ id, phoneNumberId, business });
      }
    };
    const sandbox = await ensureAccount(tx, ids, 'Sandbox');
    const own = { accountId: sandbox, api: story.api, key: story.apiKey, lawful: false };
    const { items } = await story.api.get<{ items: Array<{ id: string }> }>('/v1/lines');
    for (const { id } of items)
      lines.push({ id, phoneNumberId: PRESET.phoneNumberId, business: own });
    await addLines(own, [2]);
    for (const [name, suffixes] of [
      ['Clinic', [3, 4]],
      ['Shop', [5]],
    ] as const) {
      const accountId = await ensureAccount(tx, ids, name);
      await addBuiltInTemplates(
        tx,
        ids,
        { accountId, wabaId: PRESET.wabaId },
        { approved: true, now },
      );
      for (const ready of READY_JOURNEYS) await installReady(tx, { ids, now }, accountId, ready);
      const { key } = await createApiKey(
        tx,
        { accountId, name, mode: 'test', now },
        { ids, random },
      );
      await addLines(
        { accountId, api: makeApiClient(url, key, random), key, lawful: true },
        suffixes,
      );
    }
    return lines;
  });
}
