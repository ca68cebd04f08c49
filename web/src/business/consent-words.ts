import type { ConsentStatus, ConsentView, ContactView } from '../../../src/http/api-types.ts';
import type { Tone } from '../ui/chip.tsx';

type Words = { label: string; tone: Tone; meaning: string };

const WORDS: Record<ConsentStatus, Words> = {
  none: { label: 'Never asked', tone: 'plain', meaning: 'Ask first, then call.' },
  requested: { label: 'Asked', tone: 'accent', meaning: 'Waiting for the answer on the phone.' },
  granted: { label: 'Allowed', tone: 'good', meaning: 'May be called until the time is up.' },
  used: {
    label: 'Used',
    tone: 'plain',
    meaning: 'One permission is one call, and that call was made. Ask again for the next.',
  },
  declined: { label: 'Not now', tone: 'warn', meaning: 'Said no to this request.' },
  expired: { label: 'Expired', tone: 'warn', meaning: 'The permission ran out unused. Ask again.' },
  revoked: { label: 'Taken back', tone: 'bad', meaning: 'The permission was taken back.' },
  lapsed: { label: 'No answer', tone: 'warn', meaning: 'The request was not answered in time.' },
};

/** The state of a permission as a chip and one sentence. */
export function consentWords(status: ConsentStatus): Words {
  return WORDS[status];
}

/** What the contact has with this line; null when the line never had to do with them. */
export function consentOf(contact: ContactView | null, lineId: string): ConsentView | null {
  return contact?.consents.find((consent) => consent.lineId === lineId) ?? null;
}
