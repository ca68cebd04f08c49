import { errorText } from '../src/platform/failure.ts';
import { ControlFailure } from './control-failure.ts';
import type { BrowserPhone } from './media-port.ts';
import { touch, type Person, type Simulation } from './simulation.ts';

/**
 * A browser as a person's phone: microphone and speaker over WebRTC. While the person's call is
 * answered, Opus passes untouched between the browser and the business. A new browser takes the
 * place of the old one.
 */
export async function attachPhone(sim: Simulation, person: Person, offer: string): Promise<string> {
  if (sim.media === null || !sim.browserPhone) {
    throw new ControlFailure(
      409,
      'no_media',
      'This simulator runs without media, or without browser phones.',
      'Start it with media to talk in the browser.',
    );
  }
  let phone: BrowserPhone;
  try {
    phone = await sim.media.openPhone({
      number: person.number,
      offer,
      onClosed: () => detach(sim, person, phone),
    });
  } catch (error) {
    throw new ControlFailure(
      400,
      'bad_offer',
      `The browser's SDP offer could not be answered: ${errorText(error)}`,
      'Send the offer of an RTCPeerConnection with one audio line.',
    );
  }
  const before = person.phone;
  person.phone = phone;
  person.call?.media?.attach(phone);
  await before?.close();
  touch(sim, person);
  return phone.answer;
}

function detach(sim: Simulation, person: Person, phone: BrowserPhone): void {
  if (person.phone !== phone) return;
  person.phone = null;
  person.call?.media?.attach(null);
  touch(sim, person);
}
