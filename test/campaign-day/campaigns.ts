import { seededRandom } from '../../src/platform/random.ts';
import { drawPlayer, type Player } from './cast.ts';

/**
 * The plan of a day: eight campaigns on five lines of three businesses, and who is in which. It
 * follows from the seed alone, and a person is the same in a day of any size.
 */
export type Campaign = {
  /** Of the five lines. */
  line: number;
  /** Key of a ready journey; none of them is called `ask`: that one asks and calls by itself. */
  journey: string;
  variables: Record<string, object>;
};

export type Cast = Player & { campaigns: readonly number[] };

const text = (value: string): { text: string } => ({ text: value });
const APPOINTMENT = {
  appointmentAt: text('2026-06-04T13:00:00Z'),
  date: text('Thursday the fourth of June'),
  time: text('two in the afternoon'),
};
const SUPPORT = (agent: string) => ({ issue: text('your account set-up'), agent: text(agent) });

export const CAMPAIGNS: readonly Campaign[] = [
  { line: 0, journey: 'delivery-update', variables: { order: { column: 'order' } } },
  { line: 0, journey: 'support-callback', variables: SUPPORT('Demo PBX') },
  { line: 1, journey: 'appointment-reminder', variables: APPOINTMENT },
  { line: 2, journey: 'appointment-reminder', variables: APPOINTMENT },
  { line: 3, journey: 'support-callback', variables: SUPPORT('Desk') },
  { line: 3, journey: 'ask', variables: { order: { column: 'order' } } },
  { line: 4, journey: 'delivery-update', variables: { order: { column: 'order' } } },
  { line: 4, journey: 'ask', variables: { order: { column: 'order' } } },
];

export const ASK = {
  template: 'delivery_callback_request',
  templateVariables: ['{{contactName}}', '{{order}}'],
  purpose: 'the delay of your delivery',
  waitFor: '4h',
};

/** The business of each line, in the order in which `furnish` makes them. */
const BUSINESSES: readonly number[] = [0, 0, 1, 1, 2];
/** One in so many is in two campaigns of the same business. */
const TWICE = 10;
/** Keeps the generators of neighbours apart: the golden section of 32 bits. */
const SPREAD = 0x9e37_79b1;

export function castOf(seed: number, people: number): Cast[] {
  return Array.from({ length: people }, (_, index) => {
    const random = seededRandom(seed ^ Math.imul(index + 1, SPREAD));
    const player = drawPlayer(random, index);
    const campaign = index % CAMPAIGNS.length;
    const isNextTheirs = businessOf(campaign) === businessOf(campaign + 1);
    const isTwice = random.below(TWICE) === 0 && isNextTheirs;
    return { ...player, campaigns: isTwice ? [campaign, campaign + 1] : [campaign] };
  });
}

function businessOf(campaign: number): number | undefined {
  return BUSINESSES[CAMPAIGNS[campaign]?.line ?? -1];
}
