import type { Clock, TimerHandle } from '../src/platform/clock.ts';
import type { Log } from '../src/platform/log.ts';
import type { Random } from '../src/platform/random.ts';
import type { FaultBox } from './faults.ts';
import type {
  PersonAction,
  SimCallEnding,
  SimMessage,
  SimPermissionRequest,
} from './control-types.ts';
import type { BrowserPhone, CallMedia, MediaEngine } from './media-port.ts';
import { newObjectId, userIdOf } from './meta-ids.ts';
import { SENTINEL_PEOPLE, type Device, type PersonScript, type PersonSpec } from './people.ts';
import type { KeyExchange } from './sdp-offer.ts';
import type { SimulatorSettings } from './settings.ts';
import type { WebhookOutlet } from './webhook-outlet.ts';

/**
 * Everything the simulated Meta knows. One value per simulator, handed to every function: there
 * is no global state, so a test can run as many simulators as it likes.
 */
export type Simulation = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: SimulatorSettings;
  readonly faults: FaultBox;
  readonly webhooks: WebhookOutlet;
  readonly media: MediaEngine | null;
  /** Whether browsers may be phones. */
  readonly browserPhone: boolean;
  readonly lines: Map<string, Line>;
  /** By E.164. */
  readonly people: Map<string, Person>;
  /** User ids that somebody had; nobody gets them again. */
  readonly formerUserIds: Set<string>;
  /** By wacid; only calls that are not over. */
  readonly calls: Map<string, Call>;
  readonly templates: Map<string, Template>;
  readonly apps: App;
  /** Tells whoever watches that something is different now. */
  changed(): void;
  /** Does on a person's phone what their script says; a step that makes no sense is skipped. */
  act(person: Person, action: PersonAction): void;
};

/** The one Meta app that talks to this simulator. */
export type App = {
  readonly id: string;
  readonly secret: string;
  readonly verifyToken: string;
  readonly tokens: Set<string>;
  /** WABAs whose webhooks the app gets. */
  readonly subscribed: Set<string>;
};

export type Line = {
  phoneNumberId: string;
  wabaId: string;
  /** E.164. */
  number: string;
  businessName: string;
  /** The `calling` block of the settings, as GET gives it back. */
  calling: CallingBlock;
  restrictedUntil: number | null;
  /** When `call_permissions` was asked and calls were placed, for the per-second limits. */
  queriesAt: number[];
  dialsAt: number[];
  /** Set for public test numbers: only these people can be reached. */
  allowList: Set<string> | null;
};

export type CallingBlock = {
  status: 'ENABLED' | 'DISABLED';
  callback_permission_status?: 'ENABLED' | 'DISABLED';
  sip?: { status: 'ENABLED' | 'DISABLED'; servers?: unknown[] };
  /** Left out until it was set once. */
  srtp_key_exchange_protocol?: KeyExchange;
  [name: string]: unknown;
};

export type Person = {
  number: string;
  name: string;
  about: string;
  username: string | null;
  userId: string;
  /** Oldest first. */
  formerNumbers: string[];
  hidesNumber: boolean;
  device: Device;
  script: PersonScript;
  messages: SimMessage[];
  /** By phone number id. */
  pairs: Map<string, Pair>;
  call: Call | null;
  /** Newest first. */
  pastCalls: Call[];
  lastActiveAt: number;
  /** The browser attached as this phone. */
  phone: BrowserPhone | null;
};

/** What holds between one line and one person. */
export type Pair = {
  permission: { status: 'no_permission' | 'temporary' | 'permanent'; expiresAt: number | null };
  /** Sending times of permission requests since the last connected call. */
  requestsAt: number[];
  connectedAt: number[];
  unansweredInARow: number;
  windowUntil: number;
  /** Open or answered requests, oldest first, by message id. */
  requests: Map<string, SimPermissionRequest>;
};

export type Call = {
  id: string;
  line: Line;
  person: Person;
  direction: 'BUSINESS_INITIATED' | 'USER_INITIATED';
  state: 'dialing' | 'ringing' | 'answered' | 'ended';
  opaque: string | undefined;
  /** Of the call button that was tapped, for a call of the person. */
  ctaPayload?: string;
  /** Our SDP toward the business: an answer for its call, an offer for the person's. */
  sdp: string;
  media: CallMedia | null;
  /** Of the media, once it is closed. */
  counts: { packetsIn: number; packetsOut: number };
  mediaState: 'off' | 'connecting' | 'connected' | 'lost';
  /** Set while `terminate_before_connect` holds the connect webhook back. */
  connectHeld: boolean;
  startedAt: number;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  ending: SimCallEnding | null;
  errorCode: number | null;
  heardHz: number[];
  /** When the person last listened; what was heard fades a second later. */
  heardAt: number;
  everHeardHz: Set<number>;
  digitsHeard: string;
  digitsSent: string;
  /** When the business's media was last noticed. */
  businessMediaAt: number | null;
  /** When the person's phone stopped sending. */
  personSilentSince: number | null;
  timers: Set<TimerHandle>;
};

export type Template = {
  id: string;
  wabaId: string;
  name: string;
  language: string;
  category: 'UTILITY' | 'MARKETING' | 'AUTHENTICATION';
  status: 'PENDING' | 'APPROVED' | 'REJECTED' | 'PAUSED' | 'DISABLED';
  quality: 'GREEN' | 'YELLOW' | 'RED' | 'UNKNOWN';
  rejectedReason: string;
  components: TemplateComponent[];
};

export type TemplateComponent = {
  type: string;
  format?: string;
  text?: string;
  example?: unknown;
  buttons?: Array<{ type: string; text: string }>;
};

/** How much of each history is kept. */
export const HISTORY_LIMIT = 500;

export function addPerson(sim: Simulation, spec: PersonSpec): Person {
  if (sim.people.size >= sim.settings.people) forgetQuietest(sim);
  const person: Person = {
    number: spec.number,
    name: spec.name,
    about: spec.about,
    username: spec.username ?? null,
    userId: freeUserId(sim, spec.number),
    formerNumbers: [],
    hidesNumber: spec.hidesNumber ?? false,
    device: spec.device ?? 'ordinary',
    script: { whenAsked: [], whenRinging: [], whenAnswered: [], ...spec.script },
    messages: [],
    pairs: new Map(),
    call: null,
    pastCalls: [],
    lastActiveAt: 0,
    phone: null,
  };
  sim.people.set(person.number, person);
  return person;
}

export function addSentinelPeople(sim: Simulation): void {
  for (const spec of SENTINEL_PEOPLE) addPerson(sim, spec);
}

/** The owner of a number; everybody the table does not name is registered and driven by hand. */
export function personOf(sim: Simulation, number: string): Person {
  return (
    sim.people.get(number) ??
    addPerson(sim, {
      number,
      name: `Person ${number.slice(-4)}`,
      about: 'Not in the table of sentinel numbers: registered, and driven by hand.',
    })
  );
}

export function personByUserId(sim: Simulation, userId: string): Person | undefined {
  for (const person of sim.people.values()) if (person.userId === userId) return person;
  return undefined;
}

export function pairOf(line: Line, person: Person): Pair {
  const known = person.pairs.get(line.phoneNumberId);
  if (known !== undefined) return known;
  const pair: Pair = {
    permission: { status: 'no_permission', expiresAt: null },
    requestsAt: [],
    connectedAt: [],
    unansweredInARow: 0,
    windowUntil: 0,
    requests: new Map(),
  };
  person.pairs.set(line.phoneNumberId, pair);
  return pair;
}

export type LineSpec = {
  number: string;
  businessName: string;
  phoneNumberId?: string | undefined;
  wabaId?: string | undefined;
  callingEnabled?: boolean | undefined;
};

export function addLine(sim: Simulation, spec: LineSpec): Line {
  const line: Line = {
    phoneNumberId: spec.phoneNumberId ?? newObjectId(sim.random),
    wabaId: spec.wabaId ?? newObjectId(sim.random),
    number: spec.number,
    businessName: spec.businessName,
    calling: {
      status: (spec.callingEnabled ?? true) ? 'ENABLED' : 'DISABLED',
      call_icon_visibility: 'DEFAULT',
      callback_permission_status: 'ENABLED',
    },
    restrictedUntil: null,
    queriesAt: [],
    dialsAt: [],
    allowList: null,
  };
  sim.lines.set(line.phoneNumberId, line);
  sim.apps.subscribed.add(line.wabaId);
  sim.changed();
  return line;
}

/** DTLS is what a number has that never set it. */
export function keyExchangeOf({ calling }: Line): KeyExchange {
  return calling.srtp_key_exchange_protocol ?? 'DTLS';
}

/** Timers of a call die with it. */
export function callTimer(sim: Simulation, call: Call, afterMs: number, task: () => void): void {
  const timer = sim.clock.after(afterMs, () => {
    call.timers.delete(timer);
    if (call.state !== 'ended') task();
  });
  call.timers.add(timer);
}

export function touch(sim: Simulation, person: Person): void {
  person.lastActiveAt = sim.clock.now();
  sim.changed();
}

/** A person nobody has dealt with for longest makes room; sentinel people never do. */
/** A user id of the number that nobody has had. */
export function freeUserId(sim: Simulation, number: string): string {
  let generation = 0;
  while (sim.formerUserIds.has(userIdOf(number, generation))) generation += 1;
  return userIdOf(number, generation);
}

function forgetQuietest(sim: Simulation): void {
  const sentinels = new Set(SENTINEL_PEOPLE.map((spec) => spec.number));
  let quietest: Person | undefined;
  for (const person of sim.people.values()) {
    if (person.call !== null || sentinels.has(person.number)) continue;
    if (quietest === undefined || person.lastActiveAt < quietest.lastActiveAt) quietest = person;
  }
  if (quietest !== undefined) sim.people.delete(quietest.number);
}
