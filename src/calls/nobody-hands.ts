import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Sound } from '../media/media.ts';
import { delay, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { CallPlan, CallState } from './call.ts';
import type { ControlEvent } from './call-control.ts';
import type { CallGuide, CallHands } from './call-hands.ts';

/**
 * The customer has picked up and no target answers. Silence would be the worst of all answers, so
 * the endpoint says what happens: an announcement and the end, or music while it is tried again.
 * Every way ends by itself, under an end code of its own.
 */
export type NobodyPorts = {
  clock: Clock;
  log: Log;
  note: (...events: ControlEvent[]) => void;
  /** The account's prompt of that name; null where there is none. */
  promptOf?: (plan: CallPlan, name: string) => Promise<Sound | null>;
  /** A text as sound; null where this server cannot speak. */
  spokenOf?: (text: string, language: string) => Promise<Sound | null>;
};

/** How long it waits before it calls the endpoint again. */
const AGAIN_MS = 5_000;
/** Without a prompt: three beeps, as a line that is not to be had sounds everywhere. */
const BEEPS = 3;
const BEEP: Sound = { kind: 'builtin', name: 'beep' };
const PAUSE: Sound = { kind: 'builtin', name: 'silence' };
const MUSIC: Sound = { kind: 'builtin', name: 'hold_music' };

export class NobodyHands implements CallGuide {
  readonly connects = true;
  readonly #ports: NobodyPorts;
  readonly #hands: CallHands;
  readonly #endpoint: Endpoint;
  readonly #plan: CallPlan;
  readonly #until: number;
  #begun = false;
  #over = false;

  /** `reason` is the end code that the call would have had. */
  constructor(
    ports: NobodyPorts,
    hands: CallHands,
    { plan }: CallState,
    endpoint: Endpoint,
    reason: string,
  ) {
    const { action, maxMs } = endpoint.options.whenNobody;
    const at = ports.clock.now();
    this.#ports = ports;
    this.#hands = hands;
    this.#endpoint = endpoint;
    this.#plan = plan;
    this.#until = at + maxMs;
    ports.note({ type: 'CallNobodyThere', at, action, reason, until: this.#until });
  }

  /** Begins once the customer can hear: a sound before that would be lost. */
  onState({ facts }: CallState): void {
    if (this.#begun || this.#over || facts.mediaConnectedAt === null) return;
    this.#begun = true;
    const { action } = this.#endpoint.options.whenNobody;
    const way = action === 'queue_with_music' ? this.#queue() : this.#announce();
    way.catch((error: unknown) => {
      this.#ports.log.error({ callId: this.#plan.id, error: errorText(error) }, 'nobody there');
      this.#end('nobody_there');
    });
  }

  close(): void {
    this.#over = true;
    this.#hands.stopPlaying();
  }

  async #announce(): Promise<void> {
    const { clock } = this.#ports;
    const timer = clock.after(Math.max(0, this.#until - clock.now()), () => {
      this.#end('nobody_there');
    });
    const sound = await this.#prompt();
    const spoken = sound === null ? null : await this.#hands.play(sound, { interrupt: true });
    // No prompt, or one that could not be read: the customer still hears that this is the end.
    if (spoken?.completed !== true) await this.#beep();
    timer.cancel();
    this.#end('nobody_there');
  }

  async #beep(): Promise<void> {
    for (let beeps = 0; beeps < BEEPS && !this.#over; beeps += 1) {
      await this.#hands.play(BEEP, { interrupt: beeps === 0 });
      await this.#hands.play(PAUSE);
    }
  }

  async #queue(): Promise<void> {
    const { clock } = this.#ports;
    void this.#hands.play((await this.#prompt()) ?? MUSIC, { loop: true, interrupt: true });
    clock.after(Math.max(0, this.#until - clock.now()), () => this.#end('queue_timed_out'));
    while (!this.#over) {
      await delay(clock, AGAIN_MS);
      if (this.#over) return;
      const { up } = await this.#hands.connectEndpoint(this.#plan.endpointId);
      if (!up) continue;
      this.#over = true;
      this.#hands.stopPlaying();
    }
  }

  /** What was recorded or written for it; null leaves it to beeps, or to the music. */
  async #prompt(): Promise<Sound | null> {
    const { prompt, say, language = 'en' } = this.#endpoint.options.whenNobody;
    const { promptOf, spokenOf, log } = this.#ports;
    try {
      if (prompt !== null) return (await promptOf?.(this.#plan, prompt)) ?? null;
      if (say !== undefined) return (await spokenOf?.(say, language)) ?? null;
    } catch (error) {
      log.warn({ callId: this.#plan.id, error: errorText(error) }, 'no announcement to be had');
    }
    return null;
  }

  #end(reason: 'nobody_there' | 'queue_timed_out'): void {
    if (this.#over) return;
    this.close();
    this.#hands.hangUp(reason);
  }
}
