import type { PersonAction } from './control-types.ts';

/**
 * The people everybody can count on: a number decides what its owner does, so a test or a curl
 * needs no set-up. Scheme: +44 7700 900 0NN are driven by hand; 1NN act by themselves. The
 * numbers are from Ofcom's range for drama, which nobody owns.
 */
export type PersonScript = {
  /** After a permission request was delivered. */
  whenAsked: readonly ScriptStep[];
  /** After the phone began to ring; stops when the call ends. */
  whenRinging: readonly ScriptStep[];
  /** After the call was answered; stops when the call ends. */
  whenAnswered: readonly ScriptStep[];
};

export type ScriptStep = { afterMs: number; action: PersonAction };

/**
 * What the person's WhatsApp can do. `unreachable`: never rings. `too_old`: takes neither
 * requests nor calls. `no_media`: rings and answers, but no media path comes up.
 */
export type Device = 'ordinary' | 'unreachable' | 'too_old' | 'no_media';

export type PersonSpec = {
  number: string;
  name: string;
  about: string;
  username?: string;
  hidesNumber?: boolean;
  device?: Device;
  script?: Partial<PersonScript>;
};

const allow: ScriptStep = { afterMs: 1000, action: { action: 'allow' } };
const answer: ScriptStep = { afterMs: 2000, action: { action: 'answer' } };
const hangUp: PersonAction = { action: 'hang_up' };

/** +447700900NNN */
export function sentinel(nnn: string): string {
  return `+447700900${nnn}`;
}

export const SENTINEL_PEOPLE: readonly PersonSpec[] = [
  {
    number: sentinel('001'),
    name: 'Ada Lovelace',
    about: 'Driven by whoever holds the phone; does nothing by herself.',
  },
  {
    number: sentinel('002'),
    name: 'Bo Ångström',
    about: 'Driven by hand; has a user name, so webhooks carry a user id and no number.',
    username: 'bo.angstrom',
    hidesNumber: true,
  },
  {
    number: sentinel('100'),
    name: 'Cleo Talks',
    about: 'Allows after 1 s, answers after 2 s and talks until the business hangs up.',
    script: { whenAsked: [allow], whenRinging: [answer] },
  },
  {
    number: sentinel('101'),
    name: 'Dan Brief',
    about: 'Allows, answers, and hangs up after 5 s.',
    script: {
      whenAsked: [allow],
      whenRinging: [answer],
      whenAnswered: [{ afterMs: 5000, action: hangUp }],
    },
  },
  {
    number: sentinel('102'),
    name: 'Eve Notnow',
    about: 'Declines the permission request after 1 s.',
    script: { whenAsked: [{ afterMs: 1000, action: { action: 'not_now' } }] },
  },
  {
    number: sentinel('103'),
    name: 'Finn Silent',
    about: 'Never answers the permission request.',
  },
  {
    number: sentinel('104'),
    name: 'Gus Busy',
    about: 'Allows, then declines the call after 2 s of ringing.',
    script: {
      whenAsked: [allow],
      whenRinging: [{ afterMs: 2000, action: { action: 'decline' } }],
    },
  },
  {
    number: sentinel('105'),
    name: 'Hal Away',
    about: 'Allows, but never answers the call.',
    script: { whenAsked: [allow] },
  },
  {
    number: sentinel('106'),
    name: 'Ina Regret',
    about: 'Allows, then revokes the permission while the phone rings, and does not answer.',
    script: {
      whenAsked: [allow],
      whenRinging: [{ afterMs: 2000, action: { action: 'revoke' } }],
    },
  },
  {
    number: sentinel('107'),
    name: 'Joe Keys',
    about: 'Allows, answers, presses 1 2 3 # after 2 s, and stays on the line.',
    script: {
      whenAsked: [allow],
      whenRinging: [answer],
      whenAnswered: [{ afterMs: 2000, action: { action: 'digits', digits: '123#' } }],
    },
  },
  {
    number: sentinel('108'),
    name: 'Kim Tunnel',
    about: 'Allows, answers, and stops sending media after 3 s; WhatsApp ends the call later.',
    script: {
      whenAsked: [allow],
      whenRinging: [answer],
      whenAnswered: [{ afterMs: 3000, action: { action: 'lose_media' } }],
    },
  },
  {
    number: sentinel('109'),
    name: 'Lou Offline',
    about: 'Allows, but the phone is unreachable: no RINGING, the call ends with 138020.',
    device: 'unreachable',
    script: { whenAsked: [allow] },
  },
  {
    number: sentinel('110'),
    name: 'Max Oldphone',
    about: 'Has too old a client: requests fail with 131026, calls are refused with 138001.',
    device: 'too_old',
  },
  {
    number: sentinel('111'),
    name: 'Nia Always',
    about: 'Allows permanently, answers after 2 s and talks until the business hangs up.',
    script: {
      whenAsked: [{ afterMs: 1000, action: { action: 'allow_always' } }],
      whenRinging: [answer],
    },
  },
  {
    number: sentinel('112'),
    name: 'Oli Stop',
    about: 'Allows, answers, and writes "stop calls" after 3 s without hanging up.',
    script: {
      whenAsked: [allow],
      whenRinging: [answer],
      whenAnswered: [{ afterMs: 3000, action: { action: 'write', text: 'stop calls' } }],
    },
  },
  {
    number: sentinel('113'),
    name: 'Pam Firewall',
    about: 'Allows and answers, but no media path comes up: the call ends with 138007.',
    device: 'no_media',
    script: { whenAsked: [allow], whenRinging: [answer] },
  },
];
